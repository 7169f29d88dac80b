"""The songs of a report, to be heard and seen: those asked for, and those misclassified."""

import os
import sys
from collections.abc import Callable, Iterator
from urllib.parse import quote

from mirdl.errors import UserError, one_line
from mirdl.results import files, player
from mirdl.results.outcome import CrossValidation
from mirdl.results.tables import misclassified
from mirdl.songs.audio_files import ROOT
from mirdl.songs.stretch import recording_of, times_of
from mirdl.songs.wording import some
from mirdl.spectrograms import ogg
from mirdl.spectrograms.libsndfile import ERRORS
from mirdl.system.pool import in_parallel
from mirdl.system.whole_files import make_folder, whole
from mirdl.tagging.answer import Answer
from mirdl.tagging.tagger import Tagger
from mirdl.tagging.views import fired_in, losses_of, view_of

INSIDE = 15e6       # bytes of sound that a page holds; in base64 they are 20 MB
MOST = 200          # misclassified songs that have a player, those with the surest votes


class Players:
    """The players of a page.

    Parameters
    ----------
    name : str
        Of the page. Sounds that do not fit into it are in the folder NAME.sounds of data/results.
    result : CrossValidation
        Of the run. The misclassified songs whose files are not there have no player.
    songs : list of str
        Paths of other audio files that are asked for.
    tagger_of : callable
        The name of a model -> its `Tagger`.
    """

    def __init__(self, name: str, result: CrossValidation, songs: list[str],
                 tagger_of: Callable[[str], Tagger]) -> None:
        self._outcomes, self._tagger_of = result.outcomes, tagger_of
        folder = os.path.join(ROOT, result.parameters["DS"]["dataset"])
        wrong = {row["song"]: row.get("true", "") for row in misclassified(result)[:MOST]}
        self._wrong = {song: (os.path.join(folder, recording_of(song)), *times_of(song))
                       for song in wrong}
        self._true = wrong      # of several tags, the rows say which are missed
        calls = {**{song: (song,) for song in songs}, **self._wrong}
        calls = {song: (os.path.abspath(path), *times) for song, (path, *times) in calls.items()
                 if os.path.isfile(path)}
        found = in_parallel(ogg.compressed, list(calls.values()), "sounds", "song")
        self._sounds = _addresses(name, dict(zip(calls, found, strict=True)))

    def of(self, song: str, title: str, model: str) -> str:
        """Write the player of a song that was asked for as HTML, with what a model does with it.

        Raises
        ------
        UserError
            If the song cannot be tagged.
        """
        tagger = self._tagger_of(model)
        return self._written(tagger, tagger.tag(song), title, song, song)

    def misclassified(self) -> dict[str, str]:
        """Write the players of the misclassified songs, by the models that were tested on them.

        Those that have none are reported in one line on stderr.

        Returns
        -------
        dict of str
            HTML, by the name of the song.
        """
        found, problems = {}, []
        for outcome in self._outcomes:
            songs = [song for song in outcome.songs if song in self._wrong]
            there = [song for song in songs if song in self._sounds]
            problems += [f"there is no file {self._wrong[song][0]!r}"
                         for song in songs if song not in there]
            if not there:
                continue
            try:
                tagger = self._tagger_of(outcome.name)
            except UserError as error:
                problems.append(str(error))
                continue
            for song, answer in zip(there, self._answers(tagger, there), strict=True):
                if answer.problem:
                    problems.append(f"{song!r} {answer.problem}")
                else:
                    found[song] = self._written(tagger, answer, song, self._wrong[song][0], song)
        if problems:
            count = len(self._wrong) - len(found)
            print(one_line(f"without {some(count, 'player', 'players')} of misclassified songs: "
                           f"{problems[0]}"), file=sys.stderr)
        return found

    def _answers(self, tagger: Tagger, songs: list[str]) -> Iterator[Answer]:
        """Tag misclassified songs; stretches of recordings as samples that are cut out."""
        stretched = [song for song in songs if recording_of(song) != song]
        if not stretched:
            yield from tagger.tag_all(self._wrong[song][0] for song in songs)
        for song in stretched:
            try:
                yield tagger.tag(*ogg.samples_of(*self._wrong[song]))
            except (UserError, *ERRORS) as error:
                yield Answer(song, problem=f"cannot be tagged: {error}")

    def _written(self, tagger: Tagger, answer: Answer, title: str, path: str, song: str) -> str:
        try:
            fired = fired_in(tagger, answer)
        except UserError:       # a network without filters over time
            fired = []
        return player.html(view_of(tagger, answer, title, path), losses_of(tagger, answer), fired,
                           self._sounds.get(song, ""), self._true.get(song, ""))


def _addresses(name: str, sounds: dict[str, bytes | str]) -> dict[str, str]:
    """Give the address of each sound, inside the page or beside it; '' where there is none."""
    contents = [content for content in sounds.values() if isinstance(content, bytes)]
    inside, folder, found = sum(map(len, contents)) <= INSIDE, f"{name}.sounds", {}
    if not inside:
        make_folder(files.path_of(folder, ""))
    for number, (song, content) in enumerate(sounds.items(), start=1):
        if isinstance(content, str):
            print(one_line(f"without the sound of {song!r}: {content}"), file=sys.stderr)
            found[song] = ""
        elif inside:
            found[song] = player.data_uri(content, "audio/ogg")
        else:
            address = f"{folder}/{number:03}.ogg"
            with whole(files.path_of(address, ""), "wb") as file:
                file.write(content)
            found[song] = quote(address)
    return found
