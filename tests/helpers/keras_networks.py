"""Networks as Keras's examples and applications have them, for input of any size."""

import keras
from keras import layers


def vgg(input_shape, n_classes, filters=(4, 8)):
    """As in Keras's examples of image classification."""
    model = keras.Sequential([keras.Input(input_shape)])
    model.add(layers.Reshape((*input_shape, 1)))
    for n in filters:
        model.add(layers.Conv2D(n, 3, padding="same", kernel_regularizer="l2"))
        model.add(layers.BatchNormalization(momentum=0.8))
        model.add(layers.Activation("relu"))
        _, *size, _ = model.output_shape
        model.add(layers.MaxPooling2D([min(2, each) for each in size]))
    model.add(layers.Flatten())
    model.add(layers.Dense(8, activation="relu", name="features"))
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(n_classes, activation="softmax"))
    return model


def transformer(input_shape, n_classes, heads=2):
    """As in Keras's example of classifying series with a transformer."""
    x = inputs = keras.Input(input_shape)
    h = layers.LayerNormalization(epsilon=1e-6)(x)
    h = layers.MultiHeadAttention(heads, key_dim=3, dropout=0.1)(h, h)
    residual = layers.Dropout(0.1)(h) + x
    h = layers.LayerNormalization(epsilon=1e-6)(residual)
    h = layers.Conv1D(4, 1, activation="relu")(h)
    x = layers.Conv1D(input_shape[-1], 1)(h) + residual
    x = layers.Flatten()(x)
    x = layers.Dense(8, activation="gelu")(x)
    return keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


def mobilenet(input_shape, n_classes):
    """`keras.applications.MobileNetV3Small`, which takes images of 32 by 32 or more."""
    inputs = keras.Input(input_shape)
    x = layers.Reshape((*input_shape, 1))(inputs)
    x = layers.ZeroPadding2D([(0, max(0, 32 - n)) for n in input_shape])(x)
    network = keras.applications.MobileNetV3Small(
        weights=None,
        input_tensor=layers.Conv2D(3, 1)(x),
        classes=n_classes,
        alpha=0.35,
        include_preprocessing=False,  # it is for pixels from 0 to 255
    )
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.8  # .999 is for thousands of batches
    return keras.Model(inputs, network.output)


class Named:
    """A function that builds a network; it is shown the same in every process.

    So the names of tests are the same, too.
    """

    def __init__(self, build):
        self.build = build

    def __call__(self, input_shape, n_classes, **parameters):
        """Build the network."""
        return self.build(input_shape, n_classes, **parameters)

    def __repr__(self):
        """Return the function's name."""
        return self.build.__name__
