"""What several events come to; pure: state and event in, state and findings out.

`finding.py` what is found; `counting.py` so many of something in so long; `turning.py` to and fro;
`habit.py` at an odd hour; `table.py` all rules with their words; `judge.py` puts them together.
"""
