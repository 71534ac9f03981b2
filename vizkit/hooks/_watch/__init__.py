"""Weights, gradients and activations of a network in training."""
