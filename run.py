"""Set the parameters, train and cross-validate: `python run.py`, or with overrides `python run.py DL.type=pNetOne folds=4`."""

import sys

from mirdl import settings
from mirdl.errors import exit_on_user_error
from mirdl.theano_flags import start_theano

parameters = {"DL": {}, "DS": {}}

# the experiment
parameters["DL"]["type"] = "oNetEightpNetEight"     # a function of buildArchitecture.py: oNetOne pNetOne oNetTwo pNetTwo oNetpNet oNetTwopNetTwo oNetFourpNetFour oNetEightpNetEight, or your own
parameters["chunkHop"] = 250                        # frames from the start of a chunk to the start of the next: 250 or 80 in the paper

# general parameters
parameters["errorCode"] = 999                       # the class of a song that has no votes
parameters["testMethod"] = "all"                    # 'majorityVote' (songs), 'utterances' (chunks) or 'all'
parameters["mode"] = "train"                        # 'train', or the name of a model in data/results or data/preloaded/models to be tested
parameters["folds"] = 10                            # of the cross-validation; 1: no cross-validation, the fixed splits that follow
parameters["trainSplit"] = 0.8                      # share of the songs; only with folds=1
parameters["testSplit"] = 0.1                       # share of the songs; only with folds=1; validation has the rest
parameters["randomTry"] = 1                         # random initialisations tried per fold, the best one counts
parameters["random_seed"] = 11                      # seed of chunk order, initial weights, batches and dropout
parameters["use_random_seed"] = True                # False: another seed in each run
parameters["stratified"] = False                    # True: each fold has the classes in equal shares
parameters["checkpointEvery"] = 1                   # epochs, at least, from one saved state to the next (at most 2 % of the time go into it)
parameters["asPublished"] = True                    # True: the published program's choices that change numbers (see README.md); False: use every chunk and every example

# how the work is done: changes no number and no file of a run
parameters["workers"] = 1                           # folds and tries trained at a time, each in a process of its own with its share of the cores
parameters["cluster"] = ""                          # train on a Dask cluster instead: its scheduler's address (tcp://host:8786) or scheduler file
parameters["foldsTogether"] = False                 # True: all folds and tries of a small network at once on one device, best a GPU (equal to 1e-4)
parameters["quiet"] = False                         # True: no progress bars
parameters["sweep"] = ""                            # lists of values whose product is run, then compared: 'DL.type=oNetOne,pNetOne chunkHop=250,80'

# deep learning parameters
parameters["DL"]["num_epochs"] = 250                # at most; training also ends when the training loss rose 41 times without a new learning rate
parameters["DL"]["batchSize"] = 50                  # chunks
parameters["DL"]["lr"] = 0.01                       # learning rate at the start
parameters["DL"]["momentum"] = 0.0                  # of Nesterov's method
parameters["DL"]["cost"] = "crossentropy"           # 'crossentropy' or 'squared_error'

# data set (input data) parameters
parameters["DS"]["dataset"] = "Ballroom"            # a folder of data/datasets that holds one folder of songs per class
parameters["DS"]["frameSize"] = 2048                # samples at 44.1 kHz
parameters["DS"]["hopSize"] = 1024                  # samples
parameters["DS"]["specTransform"] = "mel"           # 'mel' or 'magnitudeSTFT'
parameters["DS"]["numChannels"] = 1                 # of the network's input
parameters["DS"]["windowType"] = "blackmanharris62"  # hamming hann hannnsgcq triangular square blackmanharris62 blackmanharris70 blackmanharris74 blackmanharris92
parameters["DS"]["melBands"] = 40                   # with specTransform 'mel'; yInput follows: melBands, or frameSize/2+1 for 'magnitudeSTFT'
parameters["DS"]["xInput"] = 250                    # frames of a chunk
parameters["DS"]["inputNorm"] = "log0m1v"           # 'log0m1v' (log10(10000 x + 1), then mean 0 and variance 1) or 'None'
parameters["DS"]["inputNormWhere"] = "global"       # mean and variance over: 'global' (all songs), 'local' (each song), 'train' (the fold's training songs)
parameters["DS"]["store"] = "auto"                  # spectrograms are read from 'disk' as they are needed, or kept in 'memory'; 'auto': on disk if they took a quarter of it in all workers
parameters["DS"]["groups"] = ""                     # songs that stay together in a fold: '' (none), a CSV file (columns song, group), or a regular expression on TAG/file
parameters["DS"]["replicas"] = "keep"               # known replicas (Ballroom has 13 pairs): 'keep', 'drop' (one of each pair) or 'together' (in one fold)


def main(arguments):
    """Settle the parameters with the command line's overrides, then hand them to dl.py."""
    if settings.asks_for_help(arguments):
        print(settings.help(parameters))
        return
    stopped, overrides = settings.take_resume(arguments)
    chosen = settings.override(parameters, overrides)
    print("starting: loading Theano, Lasagne and Essentia ...", flush=True)
    start_theano()
    import dl  # only now: a mistyped setting is answered before the seconds that these imports take
    dl.main(chosen) if stopped is None else dl.resume(stopped, chosen)


if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
