import pytest

from skgenre.networks import crnn


def shapes(network):
    return [(layer.name, layer.output.shape[1:]) for layer in network.layers]


def test_crnn_has_the_papers_layers_and_parameters():
    network = crnn((640, 128), 8)
    assert network.count_params() == 133_520
    assert shapes(network) == [
        ("spectrogram", (640, 128)),
        ("conv1", (636, 56)),
        ("relu1", (636, 56)),
        ("batch_norm1", (636, 56)),
        ("pool1", (318, 56)),
        ("dropout1", (318, 56)),
        ("conv2", (314, 56)),
        ("relu2", (314, 56)),
        ("batch_norm2", (314, 56)),
        ("pool2", (157, 56)),
        ("dropout2", (157, 56)),
        ("conv3", (153, 56)),
        ("relu3", (153, 56)),
        ("batch_norm3", (153, 56)),
        ("pool3", (76, 56)),
        ("dropout3", (76, 56)),
        ("lstm", (96,)),
        ("lstm_dropout", (96,)),
        ("embedding", (64,)),
        ("embedding_dropout", (64,)),
        ("genre", (8,)),
    ]
    assert {network.get_layer(f"dropout{n}").rate for n in (1, 2, 3)} == {0.4}
    assert network.get_layer("batch_norm1").momentum == 0.9
    for name in ("conv1", "conv2", "conv3", "embedding"):
        assert network.get_layer(name).kernel_regularizer.l2 == pytest.approx(0.001)
    assert network.get_layer("embedding").activation.__name__ == "linear"
    assert network.get_layer("genre").activation.__name__ == "softmax"


def test_crnn_batch_norm_before_relu():
    names = [
        layer.name
        for layer in crnn((64, 8), 2, batch_norm_position="before_relu").layers
    ]
    assert names[1:5] == ["conv1", "batch_norm1", "relu1", "pool1"]


def test_mixed_precision_gives_float32_probabilities():
    network = crnn((64, 16), 3, precision="mixed_bfloat16")
    assert network.get_layer("conv1").compute_dtype == "bfloat16"
    assert network.output.dtype == "float32"
