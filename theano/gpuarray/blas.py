"""Convolution by products of matrices, by Theano's name for it."""

from theano.tensor.nnet import abstract_conv


class GpuCorrMM(abstract_conv.AbstractConv2d):
    """A correlation of images with filters."""

    def __init__(self, border_mode="valid", subsample=(1, 1), filter_dilation=(1, 1), num_groups=1,
                 unshared=False):
        super().__init__(border_mode=border_mode, subsample=subsample, filter_flip=False,
                         filter_dilation=filter_dilation, num_groups=num_groups, unshared=unshared)
