# SPDX-FileCopyrightText: (c) 2026 The Bring-up Authors
#
# SPDX-License-Identifier: Apache-2.0
"""Convolution, batch norm and activation: what most networks of pictures are made of."""

from torch import nn


def conv(
    channels_in, channels_out, kernel=3, stride=1, groups=1, dilation=1, act=nn.ReLU, bias=False
):
    """A convolution that keeps the size, or divides it by `stride`, normalised and activated."""
    padding = dilation * (kernel - 1) // 2
    layers = [
        nn.Conv2d(
            channels_in,
            channels_out,
            kernel,
            stride,
            padding,
            dilation=dilation,
            groups=groups,
            bias=bias,
        ),
        nn.BatchNorm2d(channels_out),
    ]
    return nn.Sequential(*layers, *([act()] if act is not None else []))


def separable(channels_in, channels_out, stride=1, act=nn.ReLU):
    """A convolution of each channel alone, then one of all channels in each place."""
    return nn.Sequential(
        conv(channels_in, channels_in, stride=stride, groups=channels_in, act=act),
        conv(channels_in, channels_out, kernel=1, act=act),
    )
