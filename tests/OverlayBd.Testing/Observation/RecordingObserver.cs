// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using OverlayBd.Registry.Observation;

namespace OverlayBd.Testing.Observation;

/// <summary>Keeps what it is told.</summary>
public sealed class RecordingObserver : IBlockOperationObserver
{
    private readonly ConcurrentQueue<(BlockOperation Operation, string Name, long Offset, long Length, TimeSpan Elapsed)> _all = new();

    /// <summary>What it was told of one kind of operation.</summary>
    public (BlockOperation Operation, string Name, long Offset, long Length, TimeSpan Elapsed)[] Of(BlockOperation operation) =>
        [.. _all.Where(record => record.Operation == operation)];

    /// <inheritdoc/>
    public void OnCompleted(BlockOperation operation, string name, long offset, long length, TimeSpan elapsed) =>
        _all.Enqueue((operation, name, offset, length, elapsed));
}
