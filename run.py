"""Set the parameters, then train: `python run.py`, or `python run.py DL.type=pNetOne folds=4`."""

import sys

from mirdl import recipes, settings
from mirdl.errors import exit_on_user_error
from mirdl.theano_flags import start_theano

parameters = {"DL": {}, "DS": {}}

# the experiment
# a function of buildArchitecture.py: oNetOne pNetOne oNetTwo pNetTwo oNetpNet oNetTwopNetTwo
# oNetFourpNetFour oNetEightpNetEight, or your own
parameters["DL"]["type"] = "oNetEightpNetEight"
parameters["chunkHop"] = 250                # frames from chunk to chunk: 250 or 80 in the paper

# "today": today's settings; "transfer": on the published network musicnn (docs/recipes.md)
parameters["recipe"] = "published"

# general parameters
parameters["errorCode"] = 999               # the class of a song that has no votes
parameters["testMethod"] = "all"            # "majorityVote" (songs), "utterances" (chunks) or "all"
parameters["mode"] = "train"                # or the name of a model to be tested
parameters["folds"] = 10                    # of the cross-validation; 1: the fixed split below
parameters["trainSplit"] = 0.8              # share of the songs; only with folds=1
parameters["testSplit"] = 0.1               # share of the songs; only with folds=1
parameters["trainShare"] = 1.0              # of the training songs: fewer of them train
parameters["randomTry"] = 1                 # random initialisations per fold; the best one counts
parameters["random_seed"] = 11              # of chunk order, initial weights, batches and dropout
parameters["use_random_seed"] = True        # False: another seed in each run
parameters["stratified"] = False            # True: each class has the same share in every fold
# songs that validate: "published", or a share of those that are not tested; "0": none, and the last
# epoch's model counts
parameters["validation"] = "published"
# True: the published program's choices that change numbers (docs/fidelity.md);
# False: every chunk and every example is used
parameters["asPublished"] = True
parameters["baselines"] = True              # simple classifiers are tested too
parameters["unknown"] = "texture"           # or "musicnn": tells songs unlike those of the run

# how the work is done; no number and no file of a run depends on it
parameters["workers"] = 1                   # trainings at a time, each in a process of its own
parameters["cluster"] = ""                  # or a Dask scheduler: its address or its file
parameters["foldsTogether"] = False         # True: all folds at once on one device, ideally a GPU
parameters["checkpointEvery"] = 1           # minimum number of epochs between saved states
parameters["DS"]["store"] = "auto"          # spectrograms in "memory", on "disk", or by their size
parameters["quiet"] = False                 # True: no progress bars
# lists of values whose product is run, then compared: "DL.type=oNetOne,pNetOne chunkHop=250,80"
parameters["sweep"] = ""

# deep learning parameters
# the published weights that DL.type=musicnn starts from: "musicnn-MTT" or "musicnn-MSD"
parameters["DL"]["start"] = ""
parameters["DL"]["num_epochs"] = 250        # at most
parameters["DL"]["batchSize"] = 50          # chunks
parameters["DL"]["lr"] = 0.01               # learning rate at the start
parameters["DL"]["momentum"] = 0.0          # if update is (nesterov_)momentum
parameters["DL"]["cost"] = "crossentropy"   # or "squared_error"
# sgd momentum nesterov_momentum adagrad rmsprop adadelta adam, as in lasagne.updates
parameters["DL"]["update"] = "nesterov_momentum"
parameters["DL"]["weightDecay"] = 0.0       # share of the weights, times lr, that a step removes
parameters["DL"]["schedule"] = "published"  # of the learning rate; or "cosine"
parameters["DL"]["classWeights"] = "none"   # "balanced": classes count equally in the loss

# data set (input data) parameters
parameters["DS"]["dataset"] = "Ballroom"    # a folder of data/datasets: one folder per class in it
parameters["DS"]["frameSize"] = 2048        # samples at 44.1 kHz
parameters["DS"]["hopSize"] = 1024          # samples
# or "magnitudeSTFT", or what musicnn makes of songs: "musicnn-mel" "musicnn-MTT" "musicnn-MSD"
parameters["DS"]["specTransform"] = "mel"
parameters["DS"]["level"] = "as-is"         # or "rms": songs are brought to one mean energy
parameters["DS"]["numChannels"] = 1         # of the network's input
# hamming hann hannnsgcq triangular square blackmanharris62 (70, 74, 92)
parameters["DS"]["windowType"] = "blackmanharris62"
parameters["DS"]["melBands"] = 40           # yInput follows from it
parameters["DS"]["xInput"] = 250            # frames of a chunk
# songs too short for a chunk: "leave" them out, "pad" with silence, or "repeat" them
parameters["DS"]["short"] = "leave"
# "log0m1v" (log10(10000 x + 1), then mean 0 and variance 1), "bands" (those of each band) or "None"
parameters["DS"]["inputNorm"] = "log0m1v"
# mean and variance of "global" (all songs), "local" (each song), "train" (the training songs)
parameters["DS"]["inputNormWhere"] = "global"
# how training chunks are altered, anew in each epoch: crop+stretch:1.2+gain:0.3+mask:0.1+mixup:0.3
parameters["DS"]["augment"] = ""
# songs that stay together in a fold: a CSV file with the columns song and group, or a regular
# expression on TAG/file
parameters["DS"]["groups"] = ""
# which songs train, validate and test: a CSV file with the columns song and fold, or song and part,
# or a split that the data set's loader offers; "none": not even the data set's own
parameters["DS"]["split"] = ""
# tags from a CSV file with the columns song and tag (several rows, or `rock|live`, for a song of
# several tags); or tags of stretches of time, from one with song, start, end and tag, or from a
# folder of label files of Audacity or Sonic Visualiser
parameters["DS"]["labels"] = ""
parameters["DS"]["leastSongs"] = 5          # of several tags a song, rarer ones are left out
parameters["DS"]["background"] = ""         # the tag of what is not labelled in such recordings
parameters["DS"]["replicas"] = "keep"       # known replicas: "keep", "drop" or "together"
# songs that share sound, found before training: "note" names them, "together" keeps them in one
# fold, "drop" leaves all but one out
parameters["DS"]["duplicates"] = "note"


def main(arguments):
    """Apply the command line's overrides to the parameters, then hand them to dl.py."""
    if {"-h", "--help", "help"} & set(arguments):
        print(settings.help_text(parameters), recipes.help_text(), sep="\n\n")
        return
    stopped, overrides = settings.divide_resume(arguments)
    chosen = recipes.apply(settings.override(parameters, overrides), overrides)
    print("starting: loading Theano, Lasagne and Essentia ...", flush=True)
    start_theano()
    import dl  # only now: these imports are slow, and a mistyped setting fails first
    if stopped is None:
        dl.main(chosen)
    else:
        dl.resume(stopped, chosen)


if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
