"""Nouns in, text out: terminal, Markdown, HTML, DOT, Mermaid, JSON."""
