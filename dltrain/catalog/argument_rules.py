"""What may each argument of Keras be? The hand-written tables, by argument name.

Look-up goes from the particular to the general: (kind, component, argument) in `BY_COMPONENT`,
(kind, argument) in `BY_KIND`, the argument alone in `BY_NAME`. The bounds are those that Keras
3.15 enforces itself, or that its docstrings state; where it enforces none (a learning rate below
zero, a text for a count), what training needs.
"""

from __future__ import annotations

from dltrain.catalog.rules import (
    AXES,
    AXIS,
    BOOLEAN,
    BOUNDARIES,
    CHARACTER,
    INCREASING,
    MAPPING,
    NAME,
    NUMBER,
    NUMBER_OR_PAIR,
    TEXT,
    Rule,
    choice,
    either,
    ends_in,
    list_of,
    number,
    optional,
    steps,
    whole,
)

_COUNT = whole(1)
_FROM_ZERO = whole(0)
_POSITIVE = number(above=0)
_NOT_NEGATIVE = number(at_least=0)
_FRACTION = number(at_least=0, at_most=1)
_BELOW_ONE = number(at_least=0, below=1)
_INSIDE = number(above=0, below=1)
_NUMBERS = either(NUMBER, list_of(NUMBER))
_COUNT_OR_PAIR = either(_COUNT, list_of(_COUNT, 2))
_FACTOR = number(at_least=-1, at_most=1)
_FACTOR_OR_PAIR = either(_FACTOR, list_of(_FACTOR, 2))
_UNIT_OR_PAIR = either(_FRACTION, list_of(_FRACTION, 2))
_BITS = number(at_least=1, at_most=8)
_FILL_MODE = choice("reflect", "wrap", "constant", "nearest")
_SUMMARY = choice("multi_hot", "one_hot", "count")
_LOOKUP_MODES = choice("int", "one_hot", "multi_hot", "count", "tf_idf")
_HASH_MODES = choice("int", "one_hot", "multi_hot", "count")
_RESIZE = ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5")
_SAVE_FREQUENCY = either(choice("epoch"), _COUNT)
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_INTEGERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
_DTYPE = choice(
    *_FLOATS, "mixed_float16", "mixed_bfloat16", *_INTEGERS, "bool", "string"
)  # keras.dtype_policies: a dtype, or mixed_*.


def _each(rule: Rule, names: str) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)


BY_NAME: dict[str, Rule] = {
    **_each(
        _COUNT,
        "units filters depth_multiplier groups input_dim output_dim num_heads key_dim value_dim "
        "head_dim num_query_heads num_key_value_heads height width n num_bins num_tokens "
        "max_tokens output_sequence_length num_classes num_labels k top_k num_thresholds "
        "max_number bins num_chains chain_depth num_ops fft_length sequence_stride "
        "sequence_length sampling_rate num_mel_bins frame_step power_iterations lora_rank "
        "sliding_window dynamic_growth_steps ns_steps max_to_keep ema_overwrite_frequency",
    ),
    **_each(
        _FROM_ZERO,
        "patience cooldown start_from_epoch num_oov_indices num_regressors histogram_freq "
        "embeddings_freq class_id seed warmup_steps",
    ),
    **_each(_BELOW_ONE, "dropout recurrent_dropout beta_1 beta_2 adam_beta_1 adam_beta_2 rho"),
    **_each(
        _FRACTION,
        "momentum renorm_momentum ema_momentum label_smoothing precision recall sensitivity "
        "specificity",
    ),
    **_each(
        _NOT_NEGATIVE,
        "l1 l2 weight_decay adam_weight_decay initial_learning_rate end_learning_rate "
        "initial_accumulator_value l1_regularization_strength l2_regularization_strength "
        "l2_shrinkage_regularization_strength negative_slope min_delta min_lr gamma margin "
        "max_freq min_freq top_db b",
    ),
    **_each(
        _POSITIVE,
        "learning_rate max_learning_rate warmup_target clipnorm clipvalue global_clipnorm epsilon "
        "epsilon_1 epsilon_2 clip_threshold clip_limit loss_scale_factor initial_scale decay_rate "
        "power t_mul m_mul delta adam_lr_ratio rms_rate lora_alpha logit_soft_cap min_power "
        "ref_power mag_exp",
    ),
    **_each(NUMBER, "alpha beta max_value min_value threshold minval maxval mean"),
    **_each(NUMBER, "baseline initial_value_threshold fill_value mask_value"),
    **_each(_FACTOR_OR_PAIR, "factor height_factor width_factor brightness_factor"),
    **_each(_UNIT_OR_PAIR, "x_factor y_factor contrast_factor hue_factor"),
    **_each(_UNIT_OR_PAIR, "saturation_factor addition_factor threshold_factor"),
    **_each(AXES, "axis attention_axes shared_axes input_axes output_axes axes"),
    **_each(BOOLEAN, "flash_attention synchronized"),
    **_each(TEXT, "monitor filename directory backup_dir log_dir path root field encoding window"),
    **_each(TEXT, "bounding_box_format embeddings_metadata equation bias_axes"),
    "data_format": choice("channels_last", "channels_first"),
    "decay_rate": _POSITIVE,
    "dtype": _DTYPE,
    "exclude_layers": list_of(TEXT),
    "gradient_accumulation_steps": whole(2),
    "headers": MAPPING,
    "idf_weights": list_of(_NOT_NEGATIVE),
    "ignore_class": AXIS,
    "interpolation": choice("nearest", "bilinear"),
    "fill_mode": _FILL_MODE,
    "frame_length": whole(2),
    "label_weights": list_of(_NOT_NEGATIVE),
    "name": TEXT,
    "noise_shape": list_of(optional(_COUNT), of="whole numbers >= 1, or null"),
    "renorm_clipping": MAPPING,
    "reverse_dtype": choice(*_FLOATS),
    "salt": either(_FROM_ZERO, list_of(_FROM_ZERO, 2)),
    "save_freq": _SAVE_FREQUENCY,
    "scaling": optional(choice("density", "spectrum")),
    "stddev": _NOT_NEGATIVE,
    "target_class_ids": list_of(_FROM_ZERO),
    "thresholds": either(_FRACTION, list_of(_FRACTION)),
    "update_freq": either(choice("batch", "epoch"), _COUNT),
    "use_cudnn": either(choice("auto"), BOOLEAN),
    "value_range": list_of(NUMBER, 2),
    "verbose": whole(0, 2),
    "vocabulary": either(TEXT, list_of(either(TEXT, AXIS), of="texts or whole numbers")),
    "vocabulary_dtype": choice("int32", "int64", "string"),
}

BY_KIND: dict[tuple[str, str], Rule] = {
    ("activations", "axis"): AXES,
    ("activations", "max_value"): _NOT_NEGATIVE,
    ("callbacks", "factor"): _INSIDE,
    ("callbacks", "mode"): choice("auto", "min", "max"),
    ("constraints", "max_value"): _POSITIVE,
    ("constraints", "min_value"): _NOT_NEGATIVE,
    ("constraints", "rate"): number(above=0, at_most=1),
    ("initializers", "scale"): _POSITIVE,
    ("initializers", "side"): choice("real", "imag"),
    ("initializers", "value"): NUMBER,
    ("layers", "name"): NAME,
    ("layers", "rate"): _BELOW_ONE,
    ("layers", "max_value"): _NOT_NEGATIVE,
    ("layers", "mean"): _NUMBERS,
    ("layers", "variance"): either(_NOT_NEGATIVE, list_of(_NOT_NEGATIVE)),
    ("layers", "offset"): _NUMBERS,
    ("losses", "dtype"): choice(*_FLOATS),
    ("losses", "reduction"): optional(
        choice("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none")
    ),
    ("metrics", "average"): optional(choice("micro", "macro", "weighted")),
    ("metrics", "dtype"): choice(*_FLOATS),
    ("metrics", "threshold"): _INSIDE,
    ("optimizers", "beta"): _NOT_NEGATIVE,
    ("regularizers", "factor"): _NOT_NEGATIVE,
    ("schedules", "alpha"): _NOT_NEGATIVE,
    ("schedules", "boundaries"): BOUNDARIES,
    ("schedules", "decay_steps"): steps(1),
    ("schedules", "final_divisor"): number(at_least=1),
    ("schedules", "first_decay_steps"): steps(1),
    ("schedules", "initial_divisor"): number(at_least=1),
    ("schedules", "values"): list_of(_NOT_NEGATIVE),
    ("schedules", "warmup_fraction"): _BELOW_ONE,
    ("schedules", "warmup_steps"): steps(0),
}

_UNIT_FACTORS = (
    "aug_mix cut_mix rand_augment random_contrast random_elastic_transform random_erasing "
    "random_gaussian_blur random_hue random_invert random_perspective random_sharpness"
)

BY_COMPONENT: dict[tuple[str, str, str], Rule] = {
    **{("layers", name, "factor"): _UNIT_OR_PAIR for name in _UNIT_FACTORS.split()},
    ("callbacks", "csv_logger", "separator"): CHARACTER,
    ("callbacks", "model_checkpoint", "filepath"): ends_in(".keras", ".weights.h5"),
    ("callbacks", "tensorboard", "profile_batch"): either(_FROM_ZERO, list_of(_COUNT, 2), TEXT),
    ("layers", "aug_mix", "alpha"): _POSITIVE,
    ("layers", "batch_normalization", "axis"): AXIS,
    ("layers", "category_encoding", "output_mode"): _SUMMARY,
    ("layers", "concatenate", "axis"): AXIS,
    ("layers", "attention", "score_mode"): choice("dot", "concat"),
    ("layers", "additive_attention", "score_mode"): choice("dot", "concat"),
    ("layers", "bidirectional", "merge_mode"): optional(choice("concat", "sum", "mul", "ave")),
    (
        "layers",
        "contrast_limited_adaptive_histogram_equalization",
        "tile_grid_size",
    ): list_of(_COUNT, 2),
    ("layers", "discretization", "bin_boundaries"): INCREASING,
    ("layers", "discretization", "num_bins"): _COUNT,
    ("layers", "discretization", "output_mode"): _HASH_MODES,
    ("layers", "dot", "axes"): either(AXIS, list_of(AXIS, 2)),
    ("layers", "einsum_dense", "output_shape"): either(
        _COUNT, list_of(optional(_COUNT), of="whole numbers >= 1, or null")
    ),
    ("layers", "gaussian_noise", "stddev"): _FRACTION,
    ("layers", "group_normalization", "axis"): AXIS,
    # -1 groups a channel at a time (instance normalization).
    ("layers", "group_normalization", "groups"): either(_COUNT, whole(-1, -1)),
    ("layers", "hashed_crossing", "output_mode"): choice("int", "one_hot"),
    ("layers", "hashing", "mask_value"): either(TEXT, AXIS),
    ("layers", "hashing", "output_mode"): _HASH_MODES,
    ("layers", "integer_lookup", "output_mode"): _LOOKUP_MODES,
    ("layers", "integer_lookup", "mask_token"): AXIS,
    ("layers", "integer_lookup", "oov_token"): AXIS,
    ("layers", "integer_lookup", "oov_method"): choice("floormod", "farmhash"),
    ("layers", "masking", "mask_value"): NUMBER,
    ("layers", "max_num_bounding_boxes", "fill_value"): AXIS,
    ("layers", "mix_up", "alpha"): _POSITIVE,
    ("layers", "multi_head_attention", "output_shape"): either(_COUNT, list_of(_COUNT)),
    ("layers", "permute", "dims"): list_of(_COUNT),
    ("layers", "random_elastic_transform", "fill_mode"): choice(
        "reflect", "wrap", "constant", "nearest", "mirror"
    ),
    ("layers", "random_elastic_transform", "scale"): NUMBER_OR_PAIR,
    ("layers", "random_erasing", "scale"): _UNIT_OR_PAIR,
    ("layers", "random_erasing", "fill_value"): _NUMBERS,
    ("layers", "random_flip", "mode"): choice("horizontal", "vertical", "horizontal_and_vertical"),
    ("layers", "random_gaussian_blur", "kernel_size"): _COUNT_OR_PAIR,
    ("layers", "random_gaussian_blur", "sigma"): either(_POSITIVE, list_of(_POSITIVE, 2)),
    ("layers", "random_grayscale", "factor"): _FRACTION,
    ("layers", "random_perspective", "scale"): number(at_least=0, at_most=1),
    ("layers", "random_posterization", "factor"): either(_BITS, list_of(_BITS, 2)),
    ("layers", "random_zoom", "height_factor"): either(
        number(above=-1, at_most=1), list_of(number(above=-1, at_most=1), 2)
    ),
    ("layers", "random_zoom", "width_factor"): either(
        number(above=-1, at_most=1), list_of(number(above=-1, at_most=1), 2)
    ),
    ("layers", "relu", "threshold"): _NOT_NEGATIVE,
    ("layers", "rescaling", "scale"): _NUMBERS,
    ("layers", "reshape", "target_shape"): list_of(
        either(_COUNT, whole(-1, -1)), of="whole numbers >= 1, or -1 for what is left"
    ),
    ("layers", "resizing", "fill_mode"): choice("constant"),
    ("layers", "resizing", "interpolation"): choice(*_RESIZE, "area"),
    ("layers", "stft_spectrogram", "mode"): choice(
        "log", "magnitude", "psd", "real", "imag", "angle", "stft"
    ),
    ("layers", "string_lookup", "mask_token"): TEXT,
    ("layers", "string_lookup", "oov_token"): TEXT,
    ("layers", "string_lookup", "oov_method"): choice("floormod", "farmhash"),
    ("layers", "string_lookup", "output_mode"): _LOOKUP_MODES,
    ("layers", "text_vectorization", "ngrams"): either(_COUNT, list_of(_COUNT)),
    ("layers", "text_vectorization", "output_mode"): _LOOKUP_MODES,
    ("layers", "text_vectorization", "split"): optional(choice("whitespace", "character")),
    ("layers", "text_vectorization", "standardize"): optional(
        choice("lower_and_strip_punctuation", "lower", "strip_punctuation")
    ),
    ("layers", "up_sampling1d", "size"): _COUNT,
    ("layers", "up_sampling2d", "interpolation"): choice(*_RESIZE),
    ("losses", "binary_focal_crossentropy", "alpha"): _FRACTION,
    ("losses", "categorical_focal_crossentropy", "alpha"): either(_FRACTION, list_of(_FRACTION)),
    ("losses", "categorical_generalized_cross_entropy", "q"): _INSIDE,
    ("losses", "circle", "gamma"): _POSITIVE,
    ("losses", "tversky", "alpha"): _NOT_NEGATIVE,
    ("losses", "tversky", "beta"): _NOT_NEGATIVE,
    ("initializers", "variance_scaling", "mode"): choice("fan_in", "fan_out", "fan_avg"),
    ("initializers", "variance_scaling", "distribution"): choice(
        "uniform", "normal", "truncated_normal", "untruncated_normal"
    ),
    ("metrics", "auc", "curve"): choice("ROC", "PR", "PRGAIN"),
    ("metrics", "auc", "num_thresholds"): whole(2),
    ("metrics", "auc", "summation_method"): choice("interpolation", "majoring", "minoring"),
    ("metrics", "binary_iou", "threshold"): _FRACTION,
    ("metrics", "binary_iou", "target_class_ids"): list_of(whole(0, 1)),
    ("metrics", "f1_score", "threshold"): number(above=0, at_most=1),
    ("metrics", "fbeta_score", "threshold"): number(above=0, at_most=1),
    ("metrics", "fbeta_score", "beta"): _POSITIVE,
    ("metrics", "r2_score", "class_aggregation"): optional(
        choice("uniform_average", "variance_weighted_average")
    ),
    ("optimizers", "adafactor", "beta_2_decay"): number(below=0),
    ("optimizers", "ftrl", "learning_rate_power"): number(at_most=0),
    ("optimizers", "muon", "muon_a"): NUMBER,
    ("regularizers", "orthogonal_regularizer", "mode"): choice("rows", "columns"),
}

# Padding that counts cells (zero_padding2d), and padding by name (conv2d).
PADDING = choice("valid", "same")
CAUSAL_PADDING = choice("valid", "same", "causal")
