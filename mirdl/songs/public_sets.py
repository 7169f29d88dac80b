"""Public data sets: where they come from, and what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

DATA = Path(__file__).resolve().parents[2] / "data"


class PublicSet(NamedTuple):
    """A public data set.

    Attributes
    ----------
    url : str
        Address of the archive, a .tar.gz.
    md5 : str
        Checksum of the archive, in hexadecimal digits.
    folder : str
        The folder of the archive that holds one folder per tag.
    merged : dict
        Folder of the archive -> tag, where these differ.
    replicas : tuple of tuple of str
        Pairs of songs that are the same recording.
    faults : tuple of str
        What is known to be wrong, in lines for the user.
    splits : dict
        Name of a split -> path of a table with the columns song and part. Songs that it does not
        name are left out.
    """

    url: str
    md5: str
    folder: str
    merged: Mapping = MappingProxyType({})
    replicas: tuple = ()
    faults: tuple = ()
    splits: Mapping = MappingProxyType({})


# Archive and checksum as in mirdata; replicas: B. Sturm, "Faults in the Ballroom dataset" (2014)
BALLROOM = PublicSet(
    url="https://mtg.upf.edu/ismir2004/contest/tempoContest/data1.tar.gz",
    md5="2872a3e52070bc342a4510a95e2fa0b8",
    folder="BallroomData",
    merged={"Rumba-American": "Rumba", "Rumba-International": "Rumba", "Rumba-Misc": "Rumba"},
    replicas=(
        ("Quickstep/Albums-AnaBelen_Veneo-11.wav", "Quickstep/Albums-Chrisanne2-12.wav"),
        ("ChaChaCha/Albums-Fire-08.wav", "Samba/Albums-Fire-09.wav"),   # with different labels
        ("ChaChaCha/Albums-Latin_Jam2-05.wav", "ChaChaCha/Albums-Latin_Jam2-13.wav"),
        ("Waltz/Albums-Secret_Garden-01.wav", "Waltz/Media-104705.wav"),
        ("Rumba/Albums-AnaBelen_Veneo-03.wav", "Rumba/Albums-AnaBelen_Veneo-15.wav"),
        ("Waltz/Albums-Ballroom_Magic-03.wav", "Waltz/Albums-Ballroom_Magic-18.wav"),
        ("ChaChaCha/Albums-Latin_Jam-04.wav", "ChaChaCha/Albums-Latin_Jam-13.wav"),
        ("Rumba/Albums-Latin_Jam-08.wav", "Rumba/Albums-Latin_Jam-14.wav"),
        ("Samba/Albums-Latin_Jam-06.wav", "Samba/Albums-Latin_Jam-15.wav"),
        ("Samba/Albums-Latin_Jam2-02.wav", "Samba/Albums-Latin_Jam2-14.wav"),
        ("Rumba/Albums-Latin_Jam2-07.wav", "Rumba/Albums-Latin_Jam2-15.wav"),
        ("ChaChaCha/Albums-Latin_Jam3-02.wav", "ChaChaCha/Media-103414.wav"),
        ("ChaChaCha/Media-103402.wav", "ChaChaCha/Media-103415.wav"),
    ),
)

# The original archive's server is gone; the checksum is still the original's, so the mirror's
# archive must equal it
GTZAN = PublicSet(
    url="https://huggingface.co/datasets/marsyas/gtzan/resolve/main/data/genres.tar.gz",
    md5="5b3d6dddb579ab49814ab86dba69e7c7",
    folder="genres",
    # Files with equal MD5 sums in mirdata's index of the data set; the second is the one that the
    # filtered split leaves out. Names have no ending: files are .au in some copies, .wav in others
    replicas=(
        ("disco/disco.00099", "disco/disco.00098"),
        ("hiphop/hiphop.00045", "hiphop/hiphop.00039"),
        ("hiphop/hiphop.00078", "hiphop/hiphop.00076"),
        ("rock/rock.00016", "metal/metal.00058"),   # with different labels
        ("metal/metal.00094", "metal/metal.00034"),
        ("metal/metal.00061", "metal/metal.00040"),
        ("metal/metal.00062", "metal/metal.00041"),
        ("metal/metal.00063", "metal/metal.00042"),
        ("metal/metal.00064", "metal/metal.00043"),
        ("metal/metal.00065", "metal/metal.00044"),
        ("metal/metal.00066", "metal/metal.00045"),
        ("pop/pop.00060", "pop/pop.00054"),
        ("pop/pop.00071", "pop/pop.00067"),
        ("reggae/reggae.00082", "reggae/reggae.00081"),
    ),
    # shares: B. Sturm, "An Analysis of the GTZAN Music Genre Dataset" (2012)
    faults=(
        "Note: 7.2 % of GTZAN's songs come from the same recordings as others, 5 % repeat others "
        "exactly (Sturm 2012); 14 pairs of files are equal, such as 'hiphop.00039' and "
        "'hiphop.00045' (DS.replicas)",
        "Note: 10.6 % of its tags are wrong (Sturm 2012); 'metal.00058' and 'rock.00016' are one "
        "recording",
        "Note: 'pop.00037' and 'reggae.00086' are distorted; 'jazz.00054' cannot be read in many "
        "copies",
        "Note: DS.split=filtered leaves out 70 faulty songs and keeps artists apart "
        "(docs/data.md)",
    ),
    # C. Kereliuk, B. Sturm and J. Larsen, "Deep Learning and Music Adversaries" (2015), as in
    # torchaudio
    splits={"filtered": DATA / "gtzan_filtered.csv"},
)

SETS = {"Ballroom": BALLROOM, "GTZAN": GTZAN, "genres": GTZAN}
