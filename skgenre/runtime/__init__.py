"""Trained networks as ONNX graphs, made of plain weights and run without Keras."""
