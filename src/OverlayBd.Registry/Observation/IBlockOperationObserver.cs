// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry.Observation;

/// <summary>Is told of operations that have succeeded, and how long they took; for an audit log, or to measure latencies.</summary>
/// <remarks>Without an observer nothing is timed. With one it is called on the threads that read, several at a time, for each read: it
/// must neither throw nor wait, and for operations that it does not care about it should not allocate either.</remarks>
public interface IBlockOperationObserver
{
    /// <summary>Called after an operation.</summary>
    /// <param name="operation">What was done.</param>
    /// <param name="name">The file or the blob it was done to: a path, or <c>HOST/REPOSITORY@DIGEST</c>. Never an address with a
    /// query.</param>
    /// <param name="offset">The first byte, in bytes from the start of the file or the blob.</param>
    /// <param name="length">The number of bytes.</param>
    /// <param name="elapsed">How long it took.</param>
    void OnCompleted(BlockOperation operation, string name, long offset, long length, TimeSpan elapsed);
}
