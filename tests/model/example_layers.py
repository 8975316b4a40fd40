"""How does each layer of the catalog stand in a model? An example a layer, in YAML.

The keys are the catalog's names, the values the layers between the input and a final dense layer.
"""

from __future__ import annotations

# On digits, (8, 8, 1) scaled to 0..1; `flatten, {dense, 10}` follows.
ON_IMAGES: dict[str, str] = {
    "activation": "{type: activation, activation: tanh}",
    "activity_regularization": "{type: activity_regularization, l2: 0.1}",
    "adaptive_average_pooling2d": "{type: adaptive_average_pooling2d, output_size: 3}",
    "adaptive_max_pooling2d": "{type: adaptive_max_pooling2d, output_size: [2, 3]}",
    "alpha_dropout": "{type: alpha_dropout, rate: 0.2}",
    "average_pooling2d": "{type: average_pooling2d, pool_size: 2}",
    "batch_normalization": "batch_normalization",
    "center_crop": "{type: center_crop, height: 4, width: 4}",
    "contrast_limited_adaptive_histogram_equalization": "{type: "
    "contrast_limited_adaptive_histogram_equalization, value_range: [0, 1], "
    "tile_grid_size: [2, 2]}",
    "conv2d": "{type: conv2d, filters: 2, kernel_size: 3, strides: 2, padding: same}",
    "conv2d_transpose": "{type: conv2d_transpose, filters: 2, kernel_size: [3, 2], strides: 2}",
    "cropping2d": "{type: cropping2d, cropping: [[1, 0], [2, 1]]}",
    "dense": "{type: dense, units: 3, activation: sigmoid}",
    "depthwise_conv2d": "{type: depthwise_conv2d, kernel_size: 3}",
    "discretization": "{type: discretization, bin_boundaries: [0.2, 0.5], output_mode: one_hot}",
    "dropout": "{type: dropout, rate: 0.5}",
    "elu": "elu",
    "flatten": "flatten",
    "gaussian_dropout": "{type: gaussian_dropout, rate: 0.2}",
    "gaussian_noise": "{type: gaussian_noise, stddev: 0.2}",
    "global_average_pooling2d": "global_average_pooling2d",
    "global_max_pooling2d": "global_max_pooling2d",
    "group_normalization": "{type: group_normalization, groups: 1}",
    "identity": "identity",
    "layer_normalization": "{type: layer_normalization, axis: [1, 2, 3]}",
    "leaky_relu": "{type: leaky_relu, negative_slope: 0.1}",
    "max_pooling2d": "{type: max_pooling2d, pool_size: [2, 3], padding: same}",
    "normalization": "{type: normalization, axis: -1, mean: [0.5], variance: [0.1]}",
    "permute": "{type: permute, dims: [3, 1, 2]}",
    "pipeline": "{type: pipeline, layers: [{type: dense, units: 2}, relu]}",
    "prelu": "{type: prelu, shared_axes: [1, 2]}",
    "relu": "{type: relu, max_value: 6}",
    "rescaling": "{type: rescaling, scale: 2, offset: -1}",
    "reshape": "{type: reshape, target_shape: [16, -1]}",
    "resizing": "{type: resizing, height: 4, width: 5}",
    "rms_normalization": "rms_normalization",
    "separable_conv2d": "{type: separable_conv2d, filters: 2, kernel_size: 3}",
    "softmax": "{type: softmax, axis: [1, 2]}",
    "spatial_dropout2d": "{type: spatial_dropout2d, rate: 0.2}",
    "spectral_normalization": "{type: spectral_normalization, "
    "layer: {type: conv2d, filters: 2, kernel_size: 3}}",
    "unit_normalization": "{type: unit_normalization, axis: [1, 2]}",
    "up_sampling2d": "{type: up_sampling2d, size: 2, interpolation: bilinear}",
    "zero_padding2d": "{type: zero_padding2d, padding: [1, 2]}",
}

# On the same images as a sequence of 8 rows of 8 pixels, (8, 8).
ON_SEQUENCES: dict[str, str] = {
    "adaptive_average_pooling1d": "{type: adaptive_average_pooling1d, output_size: 3}",
    "adaptive_max_pooling1d": "{type: adaptive_max_pooling1d, output_size: 3}",
    "average_pooling1d": "{type: average_pooling1d, pool_size: 2}",
    "bidirectional": "{type: bidirectional, merge_mode: sum, layer: {type: gru, units: 2}}",
    "conv1d": "{type: conv1d, filters: 2, kernel_size: 3, padding: causal}",
    "conv1d_transpose": "{type: conv1d_transpose, filters: 2, kernel_size: 3}",
    "cropping1d": "{type: cropping1d, cropping: [1, 2]}",
    "depthwise_conv1d": "{type: depthwise_conv1d, kernel_size: 3}",
    "einsum_dense": "{type: einsum_dense, equation: 'abc,cd->abd', output_shape: [8, 3]}",
    "global_average_pooling1d": "global_average_pooling1d",
    "global_max_pooling1d": "global_max_pooling1d",
    "group_query_attention": "{type: group_query_attention, head_dim: 2, num_query_heads: 4, "
    "num_key_value_heads: 2}",
    "gru": "{type: gru, units: 3, return_sequences: true}",
    "lstm": "{type: lstm, units: 3, dropout: 0.1, recurrent_dropout: 0.1}",
    "masking": "masking, {type: lstm, units: 2}",
    "max_pooling1d": "{type: max_pooling1d, pool_size: 2}",
    "multi_head_attention": "{type: multi_head_attention, num_heads: 2, key_dim: 3, dropout: 0.1}",
    "repeat_vector": "flatten, {type: repeat_vector, n: 2}",
    "rnn": "{type: rnn, cell: {type: gru_cell, units: 2}}",
    "gru_cell": "{type: rnn, cell: {type: gru_cell, units: 2, dropout: 0.1}}",
    "lstm_cell": "{type: rnn, cell: [{type: lstm_cell, units: 2}, {type: lstm_cell, units: 3}]}",
    "simple_rnn_cell": "{type: rnn, cell: {type: simple_rnn_cell, units: 2}, "
    "return_sequences: true}",
    "stacked_rnn_cells": "{type: rnn, cell: {type: stacked_rnn_cells, "
    "cells: [{type: gru_cell, units: 2}, {type: simple_rnn_cell, units: 3}]}}",
    "separable_conv1d": "{type: separable_conv1d, filters: 2, kernel_size: 3}",
    "simple_rnn": "{type: simple_rnn, units: 3}",
    "spatial_dropout1d": "{type: spatial_dropout1d, rate: 0.2}",
    "time_distributed": "{type: time_distributed, layer: {type: dense, units: 2}}",
    "up_sampling1d": "{type: up_sampling1d, size: 2}",
    "zero_padding1d": "{type: zero_padding1d, padding: [1, 2]}",
    "conv_lstm1d": "{type: reshape, target_shape: [4, 4, 4]}, "
    "{type: conv_lstm1d, filters: 2, kernel_size: 2}",
    "conv_lstm2d": "{type: reshape, target_shape: [2, 4, 4, 2]}, "
    "{type: conv_lstm2d, filters: 2, kernel_size: 2}",
    "conv_lstm3d": "{type: reshape, target_shape: [2, 2, 4, 2, 2]}, "
    "{type: conv_lstm3d, filters: 2, kernel_size: 2}",
    "mel_spectrogram": "flatten, {type: mel_spectrogram, num_mel_bins: 4, sampling_rate: 32, "
    "sequence_stride: 8, fft_length: 16, min_freq: 1}",
    "stft_spectrogram": "{type: reshape, target_shape: [64, 1]}, {type: stft_spectrogram, "
    "frame_length: 16, frame_step: 8, fft_length: 16}",
    "hashing": "{type: rescaling, scale: 16}, {type: hashing, num_bins: 5}",
}

# On the same images as a volume, (4, 4, 4, 1).
ON_VOLUMES: dict[str, str] = {
    "adaptive_average_pooling3d": "{type: adaptive_average_pooling3d, output_size: 2}",
    "adaptive_max_pooling3d": "{type: adaptive_max_pooling3d, output_size: 2}",
    "average_pooling3d": "{type: average_pooling3d, pool_size: 2}",
    "conv3d": "{type: conv3d, filters: 2, kernel_size: 2}",
    "conv3d_transpose": "{type: conv3d_transpose, filters: 2, kernel_size: 2}",
    "cropping3d": "{type: cropping3d, cropping: [1, 0, 1]}",
    "global_average_pooling3d": "global_average_pooling3d",
    "global_max_pooling3d": "global_max_pooling3d",
    "max_pooling3d": "{type: max_pooling3d, pool_size: 2}",
    "spatial_dropout3d": "{type: spatial_dropout3d, rate: 0.2}",
    "up_sampling3d": "{type: up_sampling3d, size: [1, 2, 1]}",
    "zero_padding3d": "{type: zero_padding3d, padding: 1}",
}

# After two dense layers `a` and `b` over the rows of the images, each (8, 4).
ON_PAIRS: dict[str, str] = {
    "add": "{type: add, inputs: [a, b]}",
    "additive_attention": "{type: additive_attention, inputs: [a, b]}",
    "attention": "{type: attention, use_scale: true, inputs: [a, b]}",
    "average": "{type: average, inputs: [a, b]}",
    "concatenate": "{type: concatenate, axis: 1, inputs: [a, b]}",
    "dot": "{type: dot, axes: 2, inputs: [a, b]}",
    "maximum": "{type: maximum, inputs: [a, b]}",
    "minimum": "{type: minimum, inputs: [a, b]}",
    "multiply": "{type: multiply, inputs: [a, b]}",
    "subtract": "{type: subtract, inputs: [a, b]}",
}

# On word ids, (6,) int32 from 1 to 11; `flatten, {dense, 1}` follows.
ON_IDS: dict[str, str] = {
    "embedding": "{type: embedding, input_dim: 12, output_dim: 3, mask_zero: true}, "
    "{type: lstm, units: 2}",
    "reversible_embedding": "{type: reversible_embedding, input_dim: 12, output_dim: 3}",
    "category_encoding": "{type: category_encoding, num_tokens: 12, output_mode: count}",
    "integer_lookup": "{type: integer_lookup, vocabulary: [1, 2, 3], output_mode: multi_hot}",
}

# On one feature, (1,); `{dense, 1}` follows.
ON_ONE_FEATURE: dict[str, str] = {
    "hashed_crossing": "{type: discretization, bin_boundaries: [-0.2], name: low}, "
    "{type: discretization, bin_boundaries: [0.2], inputs: [input], name: high}, "
    "{type: hashed_crossing, num_bins: 7, output_mode: one_hot, inputs: [low, high]}",
}

# Layers that the catalog knows and a model refuses -> what is said. Augmentation comes besides.
REFUSED: dict[str, str] = {
    "max_num_bounding_boxes": "max_num_bounding_boxes pads bounding boxes, which no dataset here "
    "has. Leave it out.",
    "string_lookup": "string_lookup takes texts; a model here takes word ids or numbers.",
    "text_vectorization": "text_vectorization takes texts; a model here takes word ids or numbers.",
}
