"""Kaquan 卡券： consumption vouchers and prepaid cards, from program rules to proof."""
