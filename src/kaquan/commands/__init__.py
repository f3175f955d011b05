"""The one door for every change: a batch of commands of one kind is looked up, loaded, decided and applied."""
