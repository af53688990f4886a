"""Two decoders, libsndfile and FFmpeg, behind one small interface."""
