import argparse
import json
import random
from pathlib import Path


class Track:
    def __init__(self, title, artist, seconds):
        self.title = title
        self.artist = artist
        self.seconds = seconds

    def __repr__(self):
        return f"Track({self.title!r}, {self.artist!r}, {self.seconds})"

    def to_dict(self):
        return {"title": self.title, "artist": self.artist, "seconds": self.seconds}


class Playlist:
    def __init__(self, name, tracks=None):
        self.name = name
        self.tracks = list(tracks or [])

    def add(self, track):
        self.tracks.append(track)

    def shuffle(self, seed=None):
        random.Random(seed).shuffle(self.tracks)

    @property
    def duration(self):
        return sum(track.seconds for track in self.tracks)

    def save(self, path):
        data = {"name": self.name, "tracks": [track.to_dict() for track in self.tracks]}
        Path(path).write_text(json.dumps(data, indent=2))

    @classmethod
    def load(cls, path):
        data = json.loads(Path(path).read_text())
        return cls(data["name"], [Track(**entry) for entry in data["tracks"]])


def main():
    parser = argparse.ArgumentParser(description="Show a playlist.")
    parser.add_argument("file")
    parser.add_argument("--shuffle", action="store_true")
    args = parser.parse_args()
    playlist = Playlist.load(args.file)
    if args.shuffle:
        playlist.shuffle()
    for number, track in enumerate(playlist.tracks, start=1):
        print(f"{number:3}. {track.artist} - {track.title}")
    minutes, seconds = divmod(playlist.duration, 60)
    print(f"{minutes}:{seconds:02}")


if __name__ == "__main__":
    main()
