-- The functions of the hot path plan each of their statements once. With a plan of its own for each call, a small batch
-- spends more time on planning than on its payments: 0.65 ms a batch (docs/benchmarks.md). Every one of these statements
-- goes from a short array to rows by their keys; a plan that reads a whole table looks good only while the table is
-- empty, and would stay.
ALTER FUNCTION load_spending SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION load_spending SET enable_seqscan = off;
ALTER FUNCTION load_spending SET enable_hashjoin = off;
ALTER FUNCTION load_spending SET enable_mergejoin = off;
ALTER FUNCTION lock_spending SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION lock_spending SET enable_seqscan = off;
ALTER FUNCTION claim_orders SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION claim_orders SET enable_seqscan = off;
ALTER FUNCTION apply_changes SET plan_cache_mode = force_generic_plan;
ALTER FUNCTION apply_changes SET enable_seqscan = off;
ALTER FUNCTION apply_batch SET plan_cache_mode = force_generic_plan;
