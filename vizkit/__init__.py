"""Experiment tracking and visualization for PaddlePaddle, built on VisualDL."""
