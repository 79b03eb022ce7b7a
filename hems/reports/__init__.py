"""What was measured and what it cost, made ready for people: by the calendar, as a bill, as files.

energy: what each device took and gave, by the home's hours, days and months
bill: a month's accounts, by price
table: the same energies as rows, for files; csv_file, parquet_file: the files
child: makes a file in a process of its own; export: starts it
"""
