"""Networks of the user's own: three as Keras's examples have them, and odd ones."""

import copy
import pickle

import keras
import numpy as np
import pytest
from keras import layers
from keras_networks import mobilenet, transformer, vgg
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import estimator_checks_generator

import skgenre
from skgenre import KerasGenreClassifier, ModelFileError, SegmentClassifier
from skgenre.networks._own import describe, own_network
from skgenre.runtime._layer_sizes import layer_shapes

FAST = {"epochs": 1, "random_state": 0}


def tiny(input_shape, n_classes, units=4, activation="relu", end="softmax"):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv1D(units, 3, activation=activation, padding="same"),
            layers.GlobalMaxPooling1D(),
            layers.Dense(n_classes, activation=end),
        ]
    )


def with_lambda(input_shape, n_classes):
    x = inputs = keras.Input(input_shape)
    x = layers.GlobalMaxPooling1D(name="embedded")(layers.Lambda(lambda v: 2 * v)(x))
    return keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


# TensorFlow takes seconds to trace each.
THREE = (vgg, transformer, mobilenet)
several = pytest.mark.parametrize(
    "network",
    [tiny, *(pytest.param(f, marks=pytest.mark.slow) for f in THREE)],
    ids=lambda function: function.__name__,
)


@pytest.fixture(scope="module")
def clips():
    """Spectrograms of two genres, whose clips differ in loudness, and artists."""
    y = np.array(["folk", "techno"])[np.arange(48) % 2]
    X = np.random.default_rng(0).normal(size=(48, 12, 8)).astype(np.float32)
    X[y == "techno"] += 2
    return X, y, np.arange(48) // 4


@several
def test_what_a_network_of_keras_can_do(network, clips, tmp_path):
    X, y, artists = clips
    model = KerasGenreClassifier(network, **FAST).fit(X, y)
    again = clone(model).fit(X, y)
    for ours, theirs in zip(model.weights_, again.weights_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    probabilities, embedding = model.predict_proba(X), model.transform(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert embedding.shape == (48, model._n_features_out)
    np.testing.assert_allclose(
        model.keras_classifier_.predict_proba(X), probabilities, atol=1e-5
    )
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict_proba(X), probabilities)
    np.testing.assert_array_equal(loaded.transform(X), embedding)
    clone(loaded).fit(X, y)  # the layers alone are enough
    for made in (loaded, pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        np.testing.assert_array_equal(made.predict_proba(X), probabilities)
    # A search finds in a fold what a cross-validation does.
    one_fold = [next(GroupKFold(2).split(X, y, artists))]
    search = GridSearchCV(model, {"learning_rate": [1e-9, 0.001]}, cv=one_fold)
    scores = cross_val_score(model, X, y, groups=artists, cv=GroupKFold(2))
    assert search.fit(X, y).cv_results_["mean_test_score"][1] == scores[0]
    assert search.predict(X).shape == (48,)


# Those that fit the network of one shape: TensorFlow traces another for each.
CHECKS = {
    "check_estimators_nan_inf",
    "check_estimators_pickle",
    "check_pipeline_consistency",
    "check_transformer_preserve_dtypes",
}


@pytest.mark.slow
def test_checks_of_scikit_learn():
    """Some: ``python tests/estimator_checks.py`` runs all on MobileNetV3Small."""
    run = []
    for estimator, check in estimator_checks_generator(
        KerasGenreClassifier(mobilenet, **FAST), legacy=True
    ):
        name = check.func.__name__
        if name in CHECKS:
            check(estimator)
            run.append(name)
    assert {*run} == CHECKS


@several
def test_onnx(network, clips, tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    X, y, _ = clips
    model = KerasGenreClassifier(network, **FAST).fit(X, y)
    skgenre.export_onnx(model, tmp_path / "it.onnx")
    onnx.checker.check_model(tmp_path / "it.onnx", full_check=True)
    skgenre.save(model, tmp_path / "it.model")
    for name in ("it.onnx", "it.model"):
        loaded = skgenre.load(tmp_path / name, runtime="onnx")
        np.testing.assert_allclose(
            loaded.predict_proba(X), model.predict_proba(X), atol=1e-5
        )
        np.testing.assert_allclose(
            loaded.transform(X), model.transform(X), rtol=1e-3, atol=1e-4
        )


def test_searches_reach_the_parameters_of_the_function(clips):
    X, y, artists = clips
    model = KerasGenreClassifier(
        tiny, network_parameters={"activation": "tanh"}, learning_rate=0.05, **FAST
    )
    search = GridSearchCV(
        model.set_params(epochs=8, validation_fraction=0),
        {"network__units": [2, 6]},
        cv=GroupKFold(2),
    )
    search.fit(X, y, groups=artists)
    best = search.best_estimator_
    expected = {"activation": "tanh", "network__units": best.weights_[0].shape[-1]}
    assert best.network_parameters["units"] == expected["network__units"]
    assert best.get_params()["network__activation"] == "tanh"
    assert search.best_score_ > 0.9
    assert model.network_parameters == {"activation": "tanh"}


def test_cross_validation_of_a_keras_model(clips):
    X, y, _ = clips
    network = tiny((12, 8), 2)
    before = network.get_weights()
    model = KerasGenreClassifier(network, epochs=12, learning_rate=0.05, random_state=0)
    assert cross_val_score(model, X, y, cv=2).min() > 0.9
    for weights, same in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(weights, same)
    first, second = (clone(model).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.weights_[0], second.weights_[0])


def test_training_begins_with_the_weights_that_a_function_gives(clips):
    X, y, _ = clips
    trained = KerasGenreClassifier(tiny, epochs=12, learning_rate=0.05, random_state=0)
    weights = trained.fit(X, y).weights_

    def pretrained(input_shape, n_classes):
        model = tiny(input_shape, n_classes)
        model.set_weights(weights)
        return model

    model = KerasGenreClassifier(pretrained, learning_rate=1e-9, **FAST).fit(X, y)
    for ours, theirs in zip(model.weights_, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_a_layer_that_no_file_may_hold(clips, tmp_path):
    X, y, _ = clips
    model = KerasGenreClassifier(with_lambda, embedding="embedded", **FAST).fit(X, y)
    assert model.transform(X).shape == (48, 8) == (48, model._n_features_out)
    with pytest.raises(
        TypeError, match="its layer 'lambda.*' is a Lambda, which is not"
    ):
        skgenre.save(model, tmp_path / "it.model")
    with pytest.raises(TypeError, match=r"joblib\.dump"):
        skgenre.export_onnx(model, tmp_path / "it.onnx")
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("embedding", "n"), [("features", 8), ("conv2d", 4), (None, 8)], ids=str
)
def test_the_layer_of_the_embedding(embedding, n, clips, tmp_path):
    X, y, _ = clips
    model = KerasGenreClassifier(vgg, embedding=embedding, **FAST).fit(X, y)
    values = model.transform(X)
    assert values.shape == (48, n) == (48, model._n_features_out)
    network = model.keras_classifier_.model_
    layer = keras.Model(
        network.inputs, network.get_layer(embedding or "features").output
    )
    scaled = (X - model.input_mean_) / model.input_scale_
    expected = np.asarray(layer(scaled, training=False))
    expected = expected.reshape(48, -1, n).mean(axis=1)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


def test_a_later_network_does_not_change_a_fitted_one(clips):
    X, y, _ = clips
    model = KerasGenreClassifier(tiny, **FAST).fit(X, y)
    before = model.predict_proba(X)
    model.set_params(network=vgg, network_parameters={"filters": (2,)})
    np.testing.assert_array_equal(model.predict_proba(X), before)
    with pytest.raises(ValueError, match="network changed since the last training"):
        model.set_params(warm_start=True).fit(X, y)


def test_further_training(clips):
    X, y, _ = clips
    model = KerasGenreClassifier(tiny, learning_rate=0.02, **FAST)
    for _ in range(3):
        model.partial_fit(X, y, classes=["folk", "techno"])
    assert model.n_iter_ == 3
    assert model.history_["loss"][2] < model.history_["loss"][0]
    model.set_params(warm_start=True).fit(X, y)
    assert model.n_iter_ == 4


@pytest.mark.slow
def test_windows(clips):
    X, y, _ = clips
    model = SegmentClassifier(KerasGenreClassifier(tiny, **FAST), window=6, hop=3)
    assert model.fit(X, y).predict(X).shape == (48,)


@pytest.mark.parametrize(
    ("network", "error", "match"),
    [
        (lambda shape, n: 3, TypeError, "must return a keras.Model, got int"),
        (lambda shape, n: tiny((5, 8), n), ValueError, r"takes \(5, 8\), but the"),
        (lambda shape, n: tiny(shape, n + 1), ValueError, r"gives \(3,\), but there"),
        (
            lambda shape, n: keras.Sequential([layers.Dense(n)]),
            ValueError,
            "takes no known shape",
        ),
        (
            lambda shape, n: keras.Sequential(
                [keras.Input(shape), layers.Flatten(), layers.Dense(n)]
            ),
            ValueError,
            "probabilities are from 0 to 1, with the sum 1",
        ),
    ],
    ids=["no network", "another input", "another output", "no input", "no softmax"],
)
def test_networks_that_are_refused(network, error, match, clips):
    X, y, _ = clips
    with pytest.raises(error, match=match):
        KerasGenreClassifier(network, **FAST).fit(X, y)


def test_several_genres_end_in_sigmoids(clips, tmp_path):
    X, y, _ = clips
    lists = [("loud", "techno") if genre == "techno" else ("folk",) for genre in y]
    model = KerasGenreClassifier(
        tiny, epochs=15, learning_rate=0.05, validation_fraction=0, random_state=0
    )
    with pytest.raises(ValueError, match=r"whose sums are 1 to 1.*\"sigmoid\""):
        model.fit(X, lists)
    model.set_params(network__end="sigmoid").fit(X, lists)
    assert model.score(X, lists) > 0.9
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    with pytest.raises(ValueError, match=r"with the sum 1.*\"softmax\""):
        model.fit(X, y)


def test_an_input_and_an_output_by_name(clips):
    def named(input_shape, n_classes):
        model = tiny(input_shape, n_classes)
        (clip,), (genres,) = model.inputs, model.outputs
        return keras.Model({clip.name: clip}, {"genres": genres})

    assert KerasGenreClassifier(named, **FAST).fit(*clips[:2]).n_iter_ == 1


def test_names_that_there_are_not(clips):
    X, y, _ = clips
    with pytest.raises(
        ValueError, match="embedding='x' is none of the network's.*conv"
    ):
        KerasGenreClassifier(tiny, embedding="x", **FAST).fit(X, y)
    with pytest.raises(TypeError, match="unexpected keyword argument 'unist'"):
        KerasGenreClassifier(tiny, network_parameters={"unist": 3}, **FAST).fit(X, y)
    with pytest.raises(TypeError, match="network_parameters=.*unhashable type: 'dict'"):
        KerasGenreClassifier(
            lambda shape, n, odd: with_lambda(shape, n),
            network_parameters={"odd": {}},
            **FAST,
        ).fit(X, y)
    with pytest.raises(ValueError, match="Invalid parameter 'networks'"):
        KerasGenreClassifier(tiny).set_params(networks=vgg)


def test_an_unfitted_one_is_not_saved(tmp_path):
    with pytest.raises(TypeError, match="has not been built; fit it first"):
        skgenre.save(KerasGenreClassifier(tiny), tmp_path / "it.model")


def every_layer(input_shape, n_classes):
    """Every layer that a file may hold; of two kinds of a class, the odd one."""
    x = inputs = keras.Input(input_shape, name="clip")
    x = layers.LayerNormalization(scale=False)(x * 2.0)
    x = layers.Bidirectional(layers.GRU(4, return_sequences=True, reset_after=False))(x)
    x = layers.LSTM(6, return_sequences=True, dropout=0.1)(x)
    x = layers.MultiHeadAttention(2, 3, value_dim=2, use_bias=False)(x, x, x)
    x = layers.SpatialDropout1D(0.1)(layers.GaussianNoise(0.1)(x))
    x = layers.AveragePooling1D(3, strides=2, padding="same")(x)
    x = layers.MaxPooling1D(2, strides=1)(x)
    x = layers.Conv1D(5, 3, dilation_rate=2, padding="same", activation="elu")(x)
    x = layers.Conv1D(4, 2, strides=1, use_bias=False, activation="softplus")(x)
    whole = layers.GRU(3)(x)
    x = layers.Reshape((-1, 4, 1))(x)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = layers.Conv2D(
        4,
        (2, 3),
        strides=2,
        padding="same",
        kernel_initializer=keras.initializers.VarianceScaling(2.0, seed=3),
        bias_initializer=keras.initializers.Constant(0.1),
        kernel_regularizer=keras.regularizers.L1L2(1e-3, 1e-2),
    )(x)
    x = layers.DepthwiseConv2D(2, padding="same", activation="hard_sigmoid")(x)
    x = layers.BatchNormalization(axis=3, center=False, epsilon=1e-2)(x)
    x = layers.ReLU(0.5)(x)
    x = layers.LeakyReLU(0.3)(layers.Rescaling(2.0, -0.5)(x))
    x = layers.SpatialDropout2D(0.1)(x)
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply()([x, pooled]) + 0.25
    x = layers.Add()([x, layers.Activation("hard_silu")(x), x])
    small = layers.AveragePooling2D((2, 1), padding="same")(x)
    small = layers.MaxPooling2D((1, 2), strides=1)(small)
    tops = [
        layers.GlobalMaxPooling2D()(x),
        layers.GlobalAveragePooling2D()(small),
        layers.Flatten()(small),
        whole,
        layers.GlobalMaxPooling1D()(inputs),
        layers.GlobalAveragePooling1D(keepdims=False)(inputs),
        layers.Bidirectional(layers.LSTM(2))(inputs),
    ]
    x = layers.Dropout(0.1)(layers.Concatenate()(tops))
    x = layers.Dense(8, activation="silu", trainable=False)(x)
    x = layers.Dense(n_classes)(x)
    return keras.Model(inputs, layers.Softmax(name="genres")(x))


@pytest.mark.slow
def test_every_layer_of_the_list(clips, tmp_path):
    from skgenre.runtime._own._graph import _NODES
    from skgenre.runtime._own._layers import LAYERS

    X, y, _ = clips
    X = X[:, :10]
    model = KerasGenreClassifier(every_layer, embedding="flatten", **FAST).fit(X, y)
    described = model.network_parameters_["network"]
    kinds = {kind for kind, *_ in described}
    assert kinds == {"InputLayer", "x + y", "x * y", *LAYERS}
    assert set(_NODES) == set(LAYERS)
    probabilities, embedding = model.predict_proba(X), model.transform(X)
    skgenre.save(model, tmp_path / "it.model")
    loaded = skgenre.load(tmp_path / "it.model")
    np.testing.assert_array_equal(loaded.predict_proba(X), probabilities)
    pytest.importorskip("onnxruntime")
    loaded = skgenre.load(tmp_path / "it.model", runtime="onnx")
    np.testing.assert_allclose(loaded.predict_proba(X), probabilities, atol=1e-5)
    np.testing.assert_allclose(loaded.transform(X), embedding, rtol=1e-3, atol=1e-4)
    # Trained from the description, all is as it was: penalties, and what is frozen.
    first, again = (
        own_network((10, 8), 2, network=network, seed=3)
        for network in (every_layer, described)
    )
    assert [w.path.split("/")[-1] for w in first.trainable_weights] == [
        w.path.split("/")[-1] for w in again.trainable_weights
    ]
    assert len(first.losses) == len(again.losses) == 1
    assert describe(again) == described


@pytest.mark.parametrize("network", [every_layer, vgg, transformer])
def test_an_onnx_graph_computes_what_the_layers_do(network):
    pytest.importorskip("onnxruntime")
    from skgenre.runtime._networks import classifier_graph
    from skgenre.runtime._session import open_session

    built = own_network((10, 8), 2, network=network)
    rng = np.random.default_rng(0)
    for weight in built.weights:  # no zeros and ones: each is of influence
        weight.assign(rng.uniform(0.2, 0.9, weight.shape))
    weights = built.get_weights()
    described = {"network": describe(built), "embedding": None}
    parameters = {"input_shape": (10, 8), "n_classes": 2, **described}
    assert layer_shapes("own_network", parameters)[0] == [w.shape for w in weights]
    X = rng.normal(size=(3, 10, 8)).astype(np.float32)
    graph = classifier_graph(
        "own_network", parameters, weights, np.zeros(8), np.ones(8)
    )
    session = open_session(graph.SerializeToString())
    (proba,) = session.run(["probabilities"], {"spectrograms": X})
    np.testing.assert_allclose(proba, built(X, training=False), atol=1e-5)


REFUSED_LAYERS = {
    "kernel_constraint=": lambda: layers.Dense(8, kernel_constraint="non_neg"),
    "activation is 'type'": lambda: layers.Dense(8, activation=str),
    "activity_regularizer=": lambda: layers.Dense(8, activity_regularizer="l2"),
    "letters, digits": lambda: layers.Dense(8, name="é"),
    "padding of a layer Conv1D": lambda: layers.Conv1D(8, 3, padding="causal"),
    "axis=1": lambda: layers.BatchNormalization(axis=1),
    "groups=2": lambda: layers.Conv1D(8, 1, groups=2),
    "go_backwards=True": lambda: layers.LSTM(8, go_backwards=True),
    "is a TimeDistributed": lambda: layers.TimeDistributed(layers.Dense(8)),
    # TensorFlow takes gigabytes for these, or ends the process.
    "strides of a layer Conv1D": lambda: layers.Conv1D(8, 2, strides=2**31 - 1),
    "reaches beyond": lambda: layers.Conv1D(8, 9, dilation_rate=6, padding="same"),
    "kernel of 100 x 200": lambda: over_two_axes(layers.Conv2D(1, (100, 200))),
    "kernel of 91 x 91": lambda: over_two_axes(layers.DepthwiseConv2D(91)),
}


def over_two_axes(layer):
    return lambda x: layer(layers.ZeroPadding2D(99)(layers.Reshape((6, 8, 1))(x)))


@pytest.mark.parametrize("what", REFUSED_LAYERS)
def test_settings_that_no_file_may_hold(what):
    x = keras.Input((6, 8))
    model = keras.Model(x, REFUSED_LAYERS[what]()(x))
    with pytest.raises(ValueError, match=what):
        describe(model)


def attending_to_one_step(x):
    step = layers.GlobalAveragePooling1D(keepdims=True)(x)
    return layers.MultiHeadAttention(64, 32)(x, step)


def padded_side_by_side(x):
    x = layers.Reshape((4, 4, 1))(x)
    pads = [((0, 0), (n, 999 - n)) for n in range(9)]
    return layers.Add()([layers.ZeroPadding2D(each)(x) for each in pads])


# Seconds of a processor for a batch, of few multiplications.
SLOW = {
    "series": ((20000, 1), layers.LSTM(1), 2**32),
    "pools": ((16384, 1), layers.MaxPooling1D(8000, strides=1, padding="same"), 2**35),
    "one channel": ((16384, 1), layers.Conv1D(1, 8000, padding="same"), 2**31),
    "softmax": ((4096, 1024), layers.Softmax(), 2**32),
    "values": ((4096, 1024), layers.Permute((2, 1)), 2**29),
    "memory": ((4, 4), padded_side_by_side, 2**23),
    "heads": ((16384, 1), attending_to_one_step, 2**33),
}


@pytest.mark.parametrize("what", SLOW)
def test_the_time_that_layers_take_is_known(what):
    shape, layer, least = SLOW[what]
    x = keras.Input(shape)
    network = describe(keras.Model(x, layer(x)))
    parameters = {"input_shape": shape, "network": network}
    assert layer_shapes("own_network", parameters)[2] >= least


def test_the_global_generator_is_left_alone(clips):
    import random

    random.seed(3)
    expected = random.random()
    random.seed(3)
    KerasGenreClassifier(tiny, **FAST).fit(*clips[:2])
    assert random.random() == expected


def test_a_class_of_its_own_is_not_described():
    class Own(keras.Model):
        pass

    network = tiny((12, 8), 2)
    with pytest.raises(ValueError, match="of a class of its own, Own"):
        describe(Own(network.inputs, network.outputs))


@pytest.mark.slow
class TestForged:
    """Files whose layers somebody has changed."""

    @pytest.fixture
    def forge(self, clips, tmp_path):
        from forge import forged, objects

        path = tmp_path / "it.model"
        model = KerasGenreClassifier(transformer, **FAST).fit(*clips[:2])

        def change(edit, match):
            skgenre.save(model, path)
            with forged(path) as (description, _):
                node = next(objects(description, "KerasGenreClassifier"))
                edit(node["parameters"]["network"]["tuple"])
            with pytest.raises(ModelFileError, match=match):
                skgenre.load(path)

        return change

    @staticmethod
    def setting(layers, kind, name, value):
        for layer in layers:
            if layer["tuple"][0] == kind:
                for pair in layer["tuple"][3]["tuple"]:
                    if pair["tuple"][0] == name:
                        pair["tuple"][1] = value

    @pytest.mark.parametrize(
        ("kind", "name", "value", "match"),
        [
            ("Dense", "units", 10**9, "for other genres"),
            ("Dense", "units", 2**62, "units of a layer Dense is out of range"),
            ("Dense", "units", -1, "out of range"),
            ("Dense", "units", True, "out of range"),
            ("Dense", "activation", "os.system", "out of range"),
            ("Dense", "activation", {"function": "chi2"}, "expected"),
            (
                "Dense",
                "kernel_initializer",
                {"tuple": ["Lambda", {"tuple": []}]},
                "out",
            ),
            (
                "Dense",
                "kernel_initializer",
                {
                    "tuple": [
                        "VarianceScaling",
                        {"tuple": [{"tuple": ["scale", "fan_in"]}]},
                    ]
                },
                "out of range",
            ),
            ("Dense", "dtype", "float64", "out of range"),
            ("MultiHeadAttention", "num_heads", 10**6, "too large layers"),
            ("MultiHeadAttention", "num_heads", 3, "not of its layers"),
            ("MultiHeadAttention", "key_dim", 0, "out of range"),
            ("Conv1D", "strides", {"tuple": [0]}, "out of range"),
            ("Conv1D", "dilation_rate", {"tuple": [10**6]}, "gaps"),
            ("LayerNormalization", "epsilon", 0.0, "out of range"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_a_setting(self, kind, name, value, match, forge):
        forge(lambda layers: self.setting(layers, kind, name, value), match)

    @pytest.mark.parametrize(
        ("edit", "match"),
        [
            (lambda layers: layers[-1]["tuple"].__setitem__(0, "Lambda"), "not in the"),
            (lambda layers: layers[1]["tuple"].__setitem__(1, "../x"), "letters"),
            (
                lambda layers: layers[1]["tuple"].__setitem__(2, {"tuple": [5]}),
                "before",
            ),
            (
                lambda layers: layers[1]["tuple"].__setitem__(2, {"tuple": [-1]}),
                "before",
            ),
            (lambda layers: layers.pop(), "."),
            (lambda layers: layers.clear(), "expected 2 to 500 layers"),
            (lambda layers: layers.extend(layers[-1:] * 600), "expected 2 to 500"),
            (lambda layers: layers.append(layers[-1]), "or is another's, too"),
            (lambda layers: layers[2]["tuple"][3]["tuple"].pop(), "other settings"),
            (lambda layers: layers.__setitem__(0, layers[1]), "."),
            (lambda layers: layers[1]["tuple"].pop(), "four values"),
            (lambda layers: layers.__setitem__(1, layers[1]["tuple"]), "four values"),
        ],
        ids=[
            *("class", "name", "later", "negative", "last", "none", "many", "twice"),
            *("setting", "input", "three values", "a list"),
        ],
    )
    def test_the_layers(self, edit, match, forge):
        forge(edit, match)
