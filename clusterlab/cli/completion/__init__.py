"""Completion for bash, zsh and fish: a script that knows verbs and options, and asks for names of plays and hosts."""
