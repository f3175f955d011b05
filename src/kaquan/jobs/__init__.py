"""Work that nobody asks for by hand: what is due at an instant, and carrying it out."""
