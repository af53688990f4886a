"""Pretrained networks as audio steps: their weights and inputs."""
