"""What ``bench/engine.py`` can measure, one a file: each measures rows, and tells them (``bench.report.Measure``)."""
