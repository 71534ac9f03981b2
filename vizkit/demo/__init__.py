"""The tutorial as a program: nine LeNet trainings on real digits, recorded and ranked.

Run it with ``python -m vizkit.demo``, then look with ``visualdl --logdir log``.
"""
