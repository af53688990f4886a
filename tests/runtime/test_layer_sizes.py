import pytest

from skgenre import CRNNClassifier, ParallelCNNRNNClassifier, networks
from skgenre.runtime._layer_sizes import layer_shapes


@pytest.mark.parametrize(
    ("network", "series"),
    # At each step, the memory of the network, of both directions.
    [(CRNNClassifier(), (1, 96)), (ParallelCNNRNNClassifier(), (10, 2 * 64))],
    ids=["crnn", "parallel"],
)
def test_shapes_are_those_of_keras(network, series):
    parameters = network._built_with((40, 16), 3, several=False)
    model = getattr(networks, network._network)(**parameters)
    weights, outputs, _ = layer_shapes(network._network, parameters)
    assert weights == [weight.shape for weight in model.weights]
    of_keras = {layer.output.shape[1:] for layer in model.layers}
    assert set(outputs) - of_keras == {series}
