// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format;

namespace OverlayBd.Images.Tracing;

/// <summary>Where a recording is attached to an image: every layer is read through a source that looks here.</summary>
internal sealed class TraceTap
{
    private TraceRecorder? _recorder;

    /// <summary>The recording that runs; <see langword="null"/>, as nearly always, when there is none.</summary>
    public TraceRecorder? Recorder => Volatile.Read(ref _recorder);

    /// <summary>Attaches a recording, unless there is one.</summary>
    public bool TryAttach(TraceRecorder recorder) => Interlocked.CompareExchange(ref _recorder, recorder, null) is null;

    /// <summary>Detaches a recording, if it is the one attached.</summary>
    public void Detach(TraceRecorder recorder) => Interlocked.CompareExchange(ref _recorder, null, recorder);

    /// <summary>Makes reads of a layer visible here.</summary>
    /// <param name="source">The bare LSMT file of the layer; owned by what is returned.</param>
    /// <param name="layer">The layer's position, 0 for the bottom one.</param>
    public BlockSource Wrap(BlockSource source, int layer) => new TracedBlockSource(this, source, layer);
}
