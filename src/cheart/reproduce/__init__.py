"""The paper's experiments by one command: train what is missing, judge it, and write tables and a report."""
