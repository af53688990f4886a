"""Classes of this package that may be in a model file."""

import dataclasses
import math
import sys
from itertools import pairwise
from typing import Any

import numpy as np

from skgenre.datasets import GenreTree
from skgenre.persistence._classes._savable import (
    COUNT,
    N_FEATURES,
    N_SAMPLES,
    PART,
    SavableClass,
    check_parameters,
    names,
    y_type,
)
from skgenre.persistence._kinds import (
    Kind,
    Sizes,
    array,
    dict_of,
    either,
    equal_size,
    flag,
    integer,
    label,
    label_text,
    labels,
    list_of,
    number,
    optional,
    part,
    require,
    size,
    text,
    tuple_of,
    values,
)

_MAX_FFT = 2**16
_MAX_OVERLAP = 128  # frames that a sample is in
_MAX_FRAMES = 2**15  # that any clip is filled up to: 25 min by default
_MAX_VALUES = 2**23  # of a spectrogram or window: 32 MB, whatever the clip
_MAX_WEIGHTS = 2**23  # of a filter bank, as of 2,048 bands and n_fft=4096
_MAX_GROWTH = 4  # values of a spectrogram for each of a waveform
_MAX_RATE = 192_000  # that clips are resampled to
_MEL_LIMITS = {
    "sample_rate": integer(1, _MAX_RATE),
    "n_fft": integer(2, _MAX_FFT),
    "hop_length": integer(1, _MAX_FFT),
    "n_mels": integer(1, 2048),
    "n_frames": optional(integer(1, _MAX_FRAMES)),
}
_DURATION = optional(number(0, 24 * 3600))
_TEXTS = either(list_of(text()), tuple_of(text()))


def _check_sizes(step: Any) -> None:
    require(
        step.n_fft <= _MAX_OVERLAP * step.hop_length,
        f"frames of n_fft={step.n_fft} every hop_length={step.hop_length} samples "
        "overlap too much",
    )
    require(
        step.n_fft * step.n_mels <= _MAX_WEIGHTS,
        f"n_mels={step.n_mels} of n_fft={step.n_fft} are too many",
    )
    require(
        step.n_mels <= _MAX_GROWTH * step.hop_length,
        f"n_mels={step.n_mels} every hop_length={step.hop_length} samples are too many",
    )


def _check_mel(step: Any) -> None:
    _check_sizes(step)
    n_frames = step.n_frames or 1
    n_values = n_frames * step.n_mels * len(step.views)
    require(n_values <= _MAX_VALUES, f"n_frames={n_frames} are too many")


_N_TAGS = 100
_MAX_GENRES = 1000
_LEAST_SCALE = 1e-9


def _check_genres(tagger: Any) -> None:
    genres = tagger.genres or ()
    require(len(genres) <= _MAX_GENRES, f"{len(genres)} genres are too many")
    for tags in genres.values() if isinstance(genres, dict) else ():
        is_word = isinstance(tags, str)
        require(is_word or len(tags) <= _N_TAGS, f"{len(tags)} tags are too many")


def _check_tags(tagger: Any, sizes: Sizes) -> None:
    has_both = {"tag_mean_", "tag_scale_"} <= vars(tagger).keys()
    require(
        has_both or not tagger.standardize,
        "a tagger that standardises has no means and deviations",
    )


def _check_segments(segments: Any) -> None:
    require(
        segments.window <= _MAX_OVERLAP * segments.hop,
        f"windows of window={segments.window} frames every hop={segments.hop} frames "
        "overlap too much",
    )


def _check_several(model: Any) -> bool:
    """Return whether clips may have several genres, and check what goes with it."""
    several = "y_type_" in vars(model)
    classes = model.classes_
    rises = all(a < b for a, b in pairwise(classes))
    require(rises or several, "expected labels that are sorted and different")
    has_thresholds = "thresholds_" in vars(model)
    needs_some = several and type(model).__name__ != "MissingClipClassifier"
    require(has_thresholds == needs_some, "there is not a threshold for each genre")
    return several


def _genre_tree(value: Any, sizes: Sizes) -> None:
    """Refuse anything but a tree of genres, or a dict that is one."""
    require(type(value) in (GenreTree, dict), "expected a tree of genres")
    GenreTree(value)


def _check_classes(model: Any, sizes: Sizes) -> None:
    several = _check_several(model)
    for name in {"estimator_", "final_estimator_"} & vars(model).keys():
        inner = vars(model)[name]
        if several:
            is_same = y_type(inner) == "multilabel-indicator"
        else:
            is_same = np.array_equal(inner.classes_, model.classes_)
            is_same = is_same and not y_type(inner).startswith("multilabel")
        require(is_same, "an estimator inside is for other classes")


def _check_windows(segments: Any, sizes: Sizes) -> None:
    _check_classes(segments, sizes)
    is_complete = segments.voting != "stack" or "final_estimator_" in vars(segments)
    require(is_complete, "it lacks the final estimator")
    n = segments.window * segments.n_mels_
    require(n <= _MAX_VALUES, f"windows of {n} values are too large")


_GENRES = {
    "classes_": labels("k", rise=False),
    # Where clips may have several genres:
    "y_type_": text("multilabel-indicator", "multilabel-lists"),
    "thresholds_": array("numbers", "k", low=0, finite=False),
}

# Networks.

_MAX_ACTIVATIONS = 2**25  # values of a layer for a clip: 1 GB for a batch
_MAX_OPERATIONS = 2**35  # multiplications for a clip: a second of a processor or two
_INTEGERS = either(integer(), tuple_of(integer()), tuple_of(tuple_of(integer())))


def _give_network(network: Any, fitted: dict[str, Any]) -> None:
    # Files may be older than a parameter, whose default is what there was before.
    newer = {
        name: getattr(network, name)
        for name in network._network_parameters
        if name not in fitted["network_parameters_"]
    }
    fitted["network_parameters_"] |= newer
    # Of a file of format 1, those without axes are numbers.
    fitted["weights_"] = [np.asarray(weights) for weights in fitted["weights_"]]
    vars(network).update(fitted)


def _check_network(network: Any, sizes: Sizes) -> None:
    from skgenre.runtime._layer_sizes import layer_shapes

    parameters = network.network_parameters_
    is_own = network._network == "own_network"
    expected = {"input_shape", "n_classes", "precision", *network._network_parameters}
    if _check_several(network) and not is_own:  # of which the last layer decides
        expected |= {"classifier_activation"}
        activation = parameters.get("classifier_activation")
        require(activation == "sigmoid", "several genres need sigmoids")
    require(set(parameters) == expected, "a network is built with other parameters")
    tuple_of(integer(1), 2)(parameters["input_shape"], sizes)
    n_frames, n_mels = parameters["input_shape"]
    equal_size("bands", n_mels, sizes)
    equal_size("n", n_frames, sizes)
    size("k")(parameters["n_classes"], sizes)
    if is_own:
        _check_own(parameters, sizes)
    else:
        built_with = type(network)(
            precision=parameters["precision"],
            **{name: parameters[name] for name in network._network_parameters},
        )
        check_parameters(built_with)
    shapes, outputs, n_operations = layer_shapes(network._network, parameters)
    largest = max(map(math.prod, outputs))
    require(largest <= _MAX_ACTIVATIONS, "a network has too large layers")
    is_whole = len(shapes) == len(network.weights_)
    require(is_whole, "a network has not as many weights as its layers")
    # ONNX files of format 1 have an axis where the network has a number.
    network.weights_ = [
        weights.reshape(()) if weights.shape == (1,) and shape == () else weights
        for weights, shape in zip(network.weights_, shapes, strict=True)
    ]
    given = [weights.shape for weights in network.weights_]
    require(shapes == given, "a network's weights are not of its layers")
    require(n_operations <= _MAX_OPERATIONS, "a network computes too much for a clip")
    require((network.input_scale_ != 0).all(), "a network's scaling is by 0")
    lengths = {len(values) for values in network.history_.values()}
    require(lengths <= {network.n_iter_}, "a history is of other epochs")


def _check_own(parameters: dict[str, Any], sizes: Sizes) -> None:
    """Hold what a network of the user's is built with against the list of layers."""
    from skgenre.runtime._own._layers import described_layers, embedding_shape

    text("float32", "mixed_bfloat16", "mixed_float16")(parameters["precision"], sizes)
    require(parameters["network_parameters"] == (), "layers have parameters")
    optional(integer(0))(parameters["embedding"], sizes)
    layers, input_shape = parameters["network"], parameters["input_shape"]
    *_, (*_, last) = described_layers(layers, input_shape)
    is_last = last.output == (parameters["n_classes"],)
    require(is_last, "the last layer is for other genres")
    embedding_shape(layers, input_shape, parameters["embedding"])


def _plain_settings(network: Any) -> dict[str, Any]:
    """Return optimisers and losses of Keras as their names and settings."""
    given = {name: getattr(network, name) for name in ("optimizer", "loss")}
    plain = {
        name: {**value.get_config(), "name": type(value).__name__}
        for name, value in given.items()
        if type(value).__module__.startswith("keras.")
    }
    for name, settings in plain.items():
        for setting, value in settings.items():
            if isinstance(value, dict):  # of a schedule, or of another optimiser
                raise TypeError(
                    f"its {name} has {setting}={value.get('class_name')}. Set {name} "
                    "to its name; a model that is saved needs no more of it"
                )
    return plain


def _own_layers(network: Any) -> dict[str, Any]:
    """Return the layers in place of the function that has made them."""
    settings = _plain_settings(network)
    fitted = vars(network).get("network_parameters_", {})
    layers = fitted.get("network", network.network)
    if not isinstance(layers, tuple):
        raise TypeError(_why_not(network, fitted))
    return settings | {"network": layers, "network_parameters": None}


def _why_not(network: Any, fitted: dict[str, Any]) -> str:
    if not fitted:
        return "its network has not been built; fit it first"
    from skgenre.networks._own import describe, own_network

    try:
        describe(own_network(**fitted))
    except ValueError as error:
        return (
            f"{error}. The user guide lists the layers that can be in a model file. "
            "Keep it by joblib.dump, or the network alone by keras_classifier_.model_"
            ".save"
        )
    return "its layers can't be put in order again"


def _take_own(network: Any) -> dict[str, Any]:
    fitted = {name: vars(network)[name] for name in _FITTED if name in vars(network)}
    built_with = dict(fitted["network_parameters_"])
    for name in ("network", "network_parameters"):  # the parameter says it
        del built_with[name]
    return fitted | {"network_parameters_": built_with}


def _give_own(network: Any, fitted: dict[str, Any]) -> None:
    built_with = fitted["network_parameters_"]
    layers = {"network": network.network, "network_parameters": ()}
    # In the order of before; there may be no such entry.
    last = {name: built_with.pop(name) for name in ("embedding",) if name in built_with}
    built_with |= layers | last
    vars(network).update(fitted)


def _layers(value: Any, sizes: Sizes) -> None:
    """Refuse what is no tuple of tuples, texts, numbers and None."""
    require(type(value) is tuple, "expected the layers of a network")
    rest = [*value]
    while rest:
        each = rest.pop()
        if type(each) is tuple:
            rest += each
        else:
            optional(either(text(), number(), flag))(each, sizes)


_FITTED: dict[str, Kind] = {
    "n_features_in_": N_FEATURES,
    **_GENRES,
    "network_parameters_": dict_of(
        text(), optional(either(text(), number(), flag, _INTEGERS))
    ),
    "input_mean_": array("numbers", "bands"),
    "input_scale_": array("numbers", "bands"),
    "weights_": list_of(either(values("f"), number())),
    "history_": dict_of(text(), list_of(number(finite=False))),
    "n_iter_": integer(1),
    "optimizer_state_": list_of(either(text(), number(), values("f"))),
}
_SETTINGS = dict_of(text(), optional(either(text(), number(), flag)))
_NETWORK = SavableClass(
    "skgenre.classifiers",
    _FITTED,
    may_lack=names("optimizer_state_ y_type_ thresholds_"),
    not_saved=names("_runtime"),
    limits={
        "optimizer": either(text(), _SETTINGS),
        "loss": optional(either(text(), _SETTINGS)),
    },
    relation=_check_network,
    stand_ins=_plain_settings,
    give=_give_network,
)
_OWN_NETWORK = dataclasses.replace(
    _NETWORK,
    limits={**_NETWORK.limits, "network": _layers},
    stand_ins=_own_layers,
    take=_take_own,
    give=_give_own,
)


def _meta(module: str, **fitted: Kind) -> SavableClass:
    """Return a classifier around a fitted one, of the same classes."""
    return SavableClass(
        module,
        {
            "n_features_in_": N_SAMPLES,
            **_GENRES,
            "estimator_": part(classes="k"),
            **fitted,
        },
        may_lack=names("n_features_in_ y_type_ thresholds_"),
        limits={"estimator": PART},
        relation=_check_classes,
    )


def _check_clusters(clusters: Any, sizes: Sizes) -> None:
    equal_size("clusters", len(clusters.kmeans_.cluster_centers_), sizes)


OURS: dict[str, SavableClass] = {
    "MelSpectrogramTransformer": SavableClass(
        "skgenre.features",
        {"n_features_in_": N_SAMPLES},
        may_lack=names("n_features_in_"),
        not_saved=names("extraction_report_ extraction_records_"),
        limits=_MEL_LIMITS | {"views": _TEXTS},
        bounds=_check_mel,
    ),
    "MFCCStandardizer": SavableClass(
        "skgenre.features",
        {
            "n_features_in_": N_SAMPLES,
            "_names": list_of(text()),
            "_scaler": part("StandardScaler"),
        },
        may_lack=names("n_features_in_ _names"),
        not_saved=names("extraction_report_ extraction_records_ mean_ scale_"),
        limits=_MEL_LIMITS
        | {"duration": _DURATION, "n_mfcc": integer(1, 2048), "views": _TEXTS},
        bounds=_check_sizes,
        give=lambda step, fitted: vars(step).update(
            fitted, mean_=fitted["_scaler"].mean_, scale_=fitted["_scaler"].scale_
        ),
    ),
    "MusicnnEmbedding": SavableClass(
        "skgenre.features",
        not_saved=names(
            "extraction_report_ extraction_records_ _runtime n_features_in_"
        ),
        limits={
            "duration": _DURATION,
            "weights": either(text(), tuple_of(text()), list_of(text())),
            "output": either(text(), tuple_of(text()), list_of(text())),
        },
    ),
    "GenreTagger": SavableClass(
        "skgenre.classifiers",
        {
            "n_features_in_": N_SAMPLES,
            "tag_mean_": array("numbers", _N_TAGS),
            "tag_scale_": array("numbers", _N_TAGS, low=_LEAST_SCALE),
        },
        may_lack=names("n_features_in_ tag_mean_ tag_scale_"),
        not_saved=names("extraction_report_ extraction_records_ _runtime"),
        limits={
            "duration": _DURATION,
            "unknown": label_text,
            "genres": optional(
                either(
                    list_of(label_text),
                    tuple_of(label_text),
                    dict_of(label_text, either(text(), _TEXTS)),
                )
            ),
        },
        bounds=_check_genres,
        relation=_check_tags,
    ),
    # Features to genres.
    "CRNNClassifier": _NETWORK,
    "KerasGenreClassifier": _OWN_NETWORK,
    "ParallelCNNRNNClassifier": _NETWORK,
    "SecondOrderClassifier": _NETWORK,
    "SegmentClassifier": SavableClass(
        "skgenre.classifiers",
        {
            "n_features_in_": N_FEATURES,  # of a table
            "n_mels_": COUNT,
            **_GENRES,
            "estimator_": part(classes="k"),
            "final_estimator_": part(classes="k"),
        },
        may_lack=names("n_features_in_ final_estimator_ y_type_ thresholds_"),
        limits={"window": integer(1, _MAX_FRAMES), "hop": integer(1, _MAX_FRAMES)},
        bounds=_check_segments,
        relation=_check_windows,
    ),
    "AbstainingClassifier": dataclasses.replace(
        _meta(
            "skgenre.classifiers",
            unknown_=label,
            threshold_=number(finite=False),
            coverage_=number(0, 1),
            precision_=number(0, 1, finite=False),
        ),
        limits={"estimator": PART, "genre_tree": optional(_genre_tree)},
    ),
    "TemperatureScalingClassifier": _meta(
        "skgenre.classifiers", temperature_=number(sys.float_info.min)
    ),
    "MissingClipClassifier": dataclasses.replace(
        _meta("skgenre.classifiers", n_missing_=COUNT),
        limits={"estimator": PART, "missing_label": optional(label)},
    ),
    "MultiLabelClassifier": _meta("skgenre.classifiers"),
    # Embeddings to clusters and neighbours.
    "EmbeddingKMeans": SavableClass(
        "skgenre.clustering",
        {
            "n_features_in_": N_FEATURES,
            # NaN of one cluster, or of one clip each.
            "silhouette_by_k_": dict_of(integer(1), number(-1, 1, finite=False)),
            "n_clusters_": size("clusters"),
            "silhouette_score_": number(-1, 1, finite=False),
            "adjusted_rand_score_": number(),
            "kmeans_": part("KMeans", n_features="n"),
        },
        may_lack=names("adjusted_rand_score_"),
        relation=_check_clusters,
        not_saved=names("labels_ cluster_centers_"),
        give=lambda step, fitted: vars(step).update(
            fitted,
            labels_=fitted["kmeans_"].labels_,
            cluster_centers_=fitted["kmeans_"].cluster_centers_,
        ),
    ),
    "TrackRecommender": SavableClass(
        "skgenre.clustering",
        {
            "n_features_in_": N_FEATURES,
            "embeddings_": array("numbers", "tracks", "n"),
            "algorithm_": text("exact", "approximate"),
            "groups_": values("fibU", "tracks"),
            "clusterer_": part(n_features="n"),
            "labels_": values("fibU", "tracks"),
        },
        may_lack=names("groups_ clusterer_ labels_"),
        not_saved=names("_search"),
    ),
}
