"""Payment codes (付款码): what a phone shows at a till, also without a network."""
