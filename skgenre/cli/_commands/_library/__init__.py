"""Commands on music libraries, whose genres are in the tags of files."""
