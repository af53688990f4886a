"""Sound files that libsndfile does not write."""

import av
import numpy as np

RATE = 44100


def write_av(path, samples, codec, rate=RATE, layout="stereo", bit_rate=None):
    """Write a file that libsndfile doesn't know."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        if bit_rate is not None:  # without which WMA isn't written
            stream.bit_rate = bit_rate
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples.T), format="fltp", layout=layout
        )
        frame.sample_rate = rate
        frame.pts = 0
        convert = av.AudioResampler(
            format=stream.codec_context.format, layout=layout, rate=rate
        )
        for part in [*convert.resample(frame), *convert.resample(None)]:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
