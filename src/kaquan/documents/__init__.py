"""What an object and an answer look like from outside: the same at the command line, over HTTP and on screens."""
