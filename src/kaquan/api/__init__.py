"""The door outside: HTTP. Every request becomes a command or a look; nothing is decided here but who may ask."""
