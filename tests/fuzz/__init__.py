"""Decoders and machines under octets that libFuzzer chooses by the code they reach: `python -m tests.fuzz --help`."""
