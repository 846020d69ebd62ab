"""Completion for bash, zsh and fish.

A script that knows verbs and options, and asks for names of plays and hosts.
"""
