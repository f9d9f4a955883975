"""Tokenizers and chat templates, loaded without torch."""
