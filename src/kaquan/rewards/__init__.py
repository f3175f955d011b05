"""What is granted when something happens: rebates in tiers, later drips, referrals and packets."""
