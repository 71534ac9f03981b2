"""Records of an evaluation, one module a task.

`task` has what they share, `choice` knows which task an evaluation is, `samples` keeps those that are shown.
"""
