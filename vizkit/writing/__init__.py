"""Writing of a run's log.

`LogWriter` (`log_writer`) is VisualDL's writer, with the verbs of `image_writer`, `curve_writer` (labels and
scores) and `table_writer`. All stand on `run_log`, which knows tags and steps and writes scalars; below it
are `log_file`, a `record_log` to all others, and `worker`. `run_directory` decides which file is a run's log.
`evaluation` has the records of a classifier's evaluation, `tasks` those of other tasks, and
`evaluation_collector` gathers one batch by batch.
"""
