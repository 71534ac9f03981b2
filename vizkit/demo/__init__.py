"""The tutorial as a program: a sweep of nine LeNet trainings on real digits.

Run it with ``python -m vizkit.demo``, then look with ``visualdl --logdir log``.
"""
