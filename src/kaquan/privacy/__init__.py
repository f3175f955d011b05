"""Personal data lives here and nowhere else: sealed per person, found by blind index, erased by dropping a key."""
