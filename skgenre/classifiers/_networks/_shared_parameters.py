"""The parameters and attributes that the networks share, documented once."""

from typing import Any, ClassVar, Self

from skgenre._docstrings import substitute

_BLOCKS = {
    "masks": """
    time_mask : int, default=%(time_mask)s
        Most frames that a mask of SpecAugment hides, in training; each clip has two
        masks of random width.
    frequency_mask : int, default=%(frequency_mask)s
        Most mel bands that a mask hides; each clip has two.
    """,
    "parameters": """
    input_scaling : {'standardize', 'log'}, default=%(input_scaling)s
        What happens to the dB values before the network: 'standardize' gives every
        mel band zero mean and unit variance over the training clips; 'log' makes
        them natural logarithms of the power, as in the paper.
    optimizer : str, dict or keras.optimizers.Optimizer, default=%(optimizer)s
        Keras optimiser: 'adafactor', 'adagrad', 'adam', 'adamax', 'adamw', 'lamb',
        'lion', 'nadam', 'rmsprop' or 'sgd'; a dict of its 'name' and settings, as in
        ``{"name": "sgd", "momentum": 0.9}``; or an object, of which each fit makes a
        new one with the same settings.
    learning_rate : float, default=%(learning_rate)s
        Its learning rate at the start, unless a dict or an object has one of its own.
        Where that is a schedule of Keras, nothing else changes it.
    learning_rate_schedule : {'plateau', 'cosine'}, default=%(learning_rate_schedule)s
        'plateau' lowers the learning rate where training no longer gets better, as
        the `plateau_` parameters say; 'cosine' lowers it to zero along a half
        cosine over the `epochs` of `fit`; `partial_fit`, whose calls are one epoch
        each, doesn't lower it.
    loss : str, dict, keras.losses.Loss, callable or None, default=%(loss)s
        None is the cross-entropy. Otherwise a loss of Keras for several classes, as in
        ``"categorical_focal_crossentropy"``: its name, a dict of its 'name' and
        settings, or an object. A function, or an object of your own class, takes the
        numbers of the genres, as in `classes_`, of shape (batch,), and probabilities
        of shape (batch, n_classes).
    label_smoothing : float, default=%(label_smoothing)s
        Share of each clip's weight that is spread over all genres in the loss; only
        for the cross-entropy.
    metrics : list or None, default=%(metrics)s
        Names, classes or objects of Keras's metrics, to be in `history_`, too. They
        take the numbers of the genres, as
        ``keras.metrics.SparseTopKCategoricalAccuracy`` does. Where clips may have
        several genres, they take 0 and 1 in a column for each, and "accuracy" is the
        share of these that are right.
    callbacks : callback, list of callbacks or None, default=%(callbacks)s
        Classes or objects of `keras.callbacks`, such as ``CSVLogger("log.csv")``. Each
        fit calls the classes and copies the objects. They come after those of the
        learning rate and the best epoch, and are not saved in model files. Those of
        scikit-learn are for `set_callbacks`.
    batch_size : int, default=%(batch_size)s
        Clips in a training step.
    epochs : int, default=%(epochs)s
        Passes over the training clips, at the most.
    validation_fraction : float, default=%(validation_fraction)s
        Share of the clips that `fit` holds out, stratified by genre (and split by
        group where groups are given), to lower the learning rate and to choose the
        epoch whose weights are kept: the best by accuracy, and by loss among
        equals. With 0, or where no clip can be spared, the accuracy in training is
        watched and the last epoch is kept. Where clips may have several genres, the
        label-ranking average precision takes the place of the accuracy, and these
        clips choose the thresholds, too.
    plateau_patience : int or None, default=%(plateau_patience)s
        Only for the 'plateau' schedule: epochs without a rise of
        `plateau_min_delta` in the watched accuracy before the learning rate is
        lowered; None never lowers it.
    plateau_factor : float, default=%(plateau_factor)s
        What the learning rate is then multiplied by.
    plateau_min_delta : float, default=%(plateau_min_delta)s
        The least rise that counts.
    early_stopping_patience : int or None, default=%(early_stopping_patience)s
        Epochs without a new best accuracy before training ends; None trains all
        `epochs`.
    class_weight : 'balanced', dict or None, default=%(class_weight)s
        Weight of each genre in the loss: 'balanced' makes all genres count the same
        however many clips they have; a dict gives {genre: weight}. Where clips may
        have several genres, 'balanced' makes clips with each of them count as much as
        those without, and a dict has weights of clips with them.
    precision : {'float32', 'mixed_bfloat16', 'mixed_float16'}, default=%(precision)s
        Arithmetic inside the network. 'mixed_bfloat16' is faster on processors and
        GPUs that have it and much slower on others; 'mixed_float16', with a loss
        that is scaled so that gradients don't vanish, is for older GPUs.
    warm_start : bool, default=%(warm_start)s
        Whether another `fit` continues from the weights of the last one, on clips
        of the same size and genres, instead of starting anew. `history_` and
        `n_iter_` are continued; the learning rate starts at `learning_rate` again.
    random_state : int, RandomState instance or None, default=%(random_state)s
        Decides the initial weights, the validation clips, the order of the batches,
        the dropout, and the masks or crops. With an int, two fits on one machine
        are identical.
    checkpoint_dir : str, PathLike or None, default=%(checkpoint_dir)s
        Folder in which `fit` keeps the state of the training after each epoch.
        Called again with the same parameters and data after it was cut off, `fit`
        resumes from there, and the result is that of one go. Needs a
        `random_state`, and losses, optimisers and layers of Keras, not of your own;
        the file is deleted when the fit has ended. None keeps nothing.
    verbose : int or bool, default=%(verbose)s
        0 is silent, 1 shows Keras's progress bar, 2 prints a line an epoch.
    """,
    "attributes": """
    classes_ : ndarray of shape (n_classes,)
        The genres, sorted, or those of the columns of y.
    y_type_ : str
        'multilabel-indicator' or 'multilabel-lists' where clips may have several
        genres, the form of predictions; 'multiclass' where they have one each.
    thresholds_ : ndarray of shape (n_classes,)
        Probability from which each of several genres is predicted, that of the highest
        F1 on the validation clips, or 0.5 without any; only where clips may have
        several.
    history_ : dict of str to list of float
        For each epoch: 'loss', 'accuracy' (of several genres a clip instead
        'label_ranking_precision'), the `metrics`, 'learning_rate' (unless it
        is constant) and, with validation clips, 'val_loss', 'val_accuracy' and so on.
    n_iter_ : int
        Number of epochs trained.
    input_mean_, input_scale_ : ndarray of shape (n_mels,)
        What is subtracted from each mel band, and what it is then divided by.
    weights_ : list of ndarray
        Weights of the network, in Keras's order.
    optimizer_state_ : list
        Name of the optimiser and its variables; only after `partial_fit` or with
        `warm_start`.
    network_parameters_ : dict
        What the network was built with.
    keras_classifier_ : scikeras.wrappers.KerasClassifier
        The fitted network as scikeras wraps it, with the Keras model as its
        ``model_``; built anew at each access, and not listed by ``dir``.
    n_features_in_ : int
        Number of frames of the clips seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`; only for a data frame with string names.
    """,
}

document_shared = substitute(**_BLOCKS)


class PaperRecipe:
    """Mixin of the networks of the paper."""

    _of_paper: ClassVar[dict[str, Any]]
    """Parameters that the paper's figures were made with, other than the defaults."""

    @classmethod
    def paper(cls, **parameters: Any) -> Self:
        """Return the recipe that the paper's figures were made with.

        It is that of the networks that the author published, where the text differs
        from them. Its spectrograms are those of
        ``MelSpectrogramTransformer(excerpt="start")``.

        Parameters
        ----------
        **parameters : dict
            More parameters, or others, such as `random_state`.

        Returns
        -------
        estimator
            Not fitted.
        """
        return cls(**{"input_scaling": "log"} | cls._of_paper | parameters)
