// SPDX-License-Identifier: Apache-2.0

using Microsoft.Win32.SafeHandles;
using OverlayBd.Format;

namespace OverlayBd.Images.Tests.Uppers;

/// <summary>Passes calls on, remembers which holes were made, and can tell before it makes one.</summary>
internal sealed class RecordingSparseFiles : ISparseFiles
{
    public List<(long Offset, long Length)> Punched { get; } = [];

    public bool HasHoles { get; init; } = true;

    public Action<long, long>? Punching { get; set; }

    public bool TryFindData(SafeFileHandle file, long offset, out long start, out long end) =>
        SparseFiles.Instance.TryFindData(file, offset, out start, out end);

    public bool TryPunchHole(SafeFileHandle file, long offset, long length)
    {
        Punching?.Invoke(offset, length);
        Punched.Add((offset, length));
        return HasHoles && SparseFiles.Instance.TryPunchHole(file, offset, length);
    }

    public int GetBlockSize(SafeFileHandle file) => SparseFiles.Instance.GetBlockSize(file);
}
