"""What takes two persons: somebody requests it, somebody else approves or rejects, then it is executed once."""
