// SPDX-License-Identifier: Apache-2.0

using System.Buffers;

namespace OverlayBd.Format.Lsmt;

/// <summary>One sealed layer: the data that it changed in a virtual disk, and an index that says where.</summary>
/// <remarks>Layers are read through <see cref="LsmtImage.Stack"/>. The format is that of overlaybd lsmt/file.cpp.</remarks>
public sealed class LsmtLayer : IAsyncDisposable
{
    private readonly bool _leaveOpen;
    private int _disposed;

    private LsmtLayer(BlockSource source, string name, bool leaveOpen, LsmtHeader trailer, LsmtIndex index)
    {
        Source = source;
        Name = name;
        _leaveOpen = leaveOpen;
        Uuid = trailer.Uuid;
        ParentUuid = trailer.ParentUuid;
        UserTag = trailer.UserTag;
        VirtualSize = (long)trailer.VirtualSize;
        Index = index;
        IndexOffset = (long)trailer.IndexOffset;
        DataBytes = index.StoredSectors * LsmtConstants.SectorSize;
    }

    /// <summary>Gets the name that messages use for the layer.</summary>
    public string Name { get; }

    /// <summary>Gets the layer's identity, upper case; all zeros when it has none.</summary>
    public string Uuid { get; }

    /// <summary>Gets the identity of the layer below, upper case; all zeros when it is not recorded.</summary>
    public string ParentUuid { get; }

    /// <summary>Gets the message of the commit; empty when there is none.</summary>
    public string UserTag { get; }

    /// <summary>Gets the size of the virtual disk as this layer states it, in bytes; 0 when it leaves that to others.</summary>
    public long VirtualSize { get; }

    /// <summary>Gets the number of mappings in the index.</summary>
    public int MappingCount => Index.Count;

    /// <summary>Gets how many bytes of data the layer's mappings refer to.</summary>
    public long DataBytes { get; }

    /// <summary>Gets the layer's bytes: the bare LSMT file.</summary>
    public BlockSource Source { get; }

    internal LsmtIndex Index { get; }

    /// <summary>Gets the byte at which the stored index starts.</summary>
    internal long IndexOffset { get; }

    /// <summary>Opens a layer: reads and checks header, trailer and index.</summary>
    /// <param name="source">The bare LSMT file; owned by the layer unless <paramref name="leaveOpen"/>, once it has been opened.</param>
    /// <param name="name">What messages call the layer, such as its digest or path.</param>
    /// <param name="leaveOpen">Whether disposing the layer leaves <paramref name="source"/> open.</param>
    /// <param name="cancellationToken">Abandons the opening.</param>
    /// <returns>The layer; the caller disposes it, or a stack made of it does.</returns>
    /// <exception cref="InvalidDataException">The bytes are no sealed LSMT layer, are damaged, or are a turboOCI layer.
    /// The caller still owns <paramref name="source"/>.</exception>
    /// <exception cref="IOException">The bytes could not be read. The caller still owns <paramref name="source"/>.</exception>
    /// <exception cref="OperationCanceledException">The opening was abandoned. The caller still owns <paramref name="source"/>.</exception>
    public static async ValueTask<LsmtLayer> OpenAsync(
        BlockSource source, string name, bool leaveOpen = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (source.Length < 2 * LsmtConstants.HeaderSpace)
        {
            LsmtThrowHelper.ThrowTooShort(name, source.Length);
        }

        const LsmtHeaderFlags Expected = LsmtHeaderFlags.DataFile;
        long trailerOffset = source.Length - LsmtConstants.HeaderSpace;
        Task<LsmtHeader> headerRead = ReadHeaderAsync(
            source, name, 0, Expected | LsmtHeaderFlags.Header, Expected | LsmtHeaderFlags.Header, cancellationToken).AsTask();
        Task<LsmtHeader> trailerRead = ReadHeaderAsync(
            source,
            name,
            trailerOffset,
            Expected | LsmtHeaderFlags.Sealed,
            Expected | LsmtHeaderFlags.Sealed | LsmtHeaderFlags.Header,
            cancellationToken).AsTask();

        // Over a network these are two round trips, hence both at once.
        await Task.WhenAll(headerRead, trailerRead).ConfigureAwait(false);
        LsmtHeader header = await headerRead.ConfigureAwait(false);
        LsmtHeader trailer = await trailerRead.ConfigureAwait(false);
        CheckIndexRange(name, trailer, trailerOffset);
        bool mayBeWarp = header.Flags.HasFlag(LsmtHeaderFlags.Sealed);
        LsmtIndex index = await LsmtIndexReader.ReadAsync(source, name, trailer, mayBeWarp, cancellationToken).ConfigureAwait(false);
        return new LsmtLayer(source, name, leaveOpen, trailer, index);
    }

    /// <summary>Makes a layer of a file whose index and trailer have just been written.</summary>
    internal static LsmtLayer FromSealed(BlockSource source, string name, LsmtHeader trailer, LsmtIndex index) =>
        new(source, name, leaveOpen: false, trailer, index);

    /// <summary>Lists what the layer maps, in order.</summary>
    /// <returns>The mapped runs, as they are stored; <see cref="LsmtExtent.Layer"/> is 0.</returns>
    public IEnumerable<LsmtExtent> ReadMappings() => LsmtExtent.Enumerate(Index.Mappings, 0, long.MaxValue);

    /// <summary>Releases the layer, and its source unless that is left open. Calling it again does nothing.</summary>
    /// <returns>A task that completes when everything is released.</returns>
    public ValueTask DisposeAsync() =>
        Interlocked.Exchange(ref _disposed, 1) != 0 || _leaveOpen ? ValueTask.CompletedTask : Source.DisposeAsync();

    private static async ValueTask<LsmtHeader> ReadHeaderAsync(
        BlockSource source,
        string name,
        long offset,
        LsmtHeaderFlags expected,
        LsmtHeaderFlags mask,
        CancellationToken cancellationToken)
    {
        byte[] block = ArrayPool<byte>.Shared.Rent(LsmtConstants.HeaderSpace);
        try
        {
            Memory<byte> bytes = block.AsMemory(0, LsmtConstants.HeaderSpace);
            await source.ReadAsync(offset, bytes, cancellationToken).ConfigureAwait(false);
            return LsmtHeader.Parse(bytes.Span, expected, mask, name, offset);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(block);
        }
    }

    private static void CheckIndexRange(string name, LsmtHeader trailer, long trailerOffset)
    {
        if (trailer.IndexSize > LsmtConstants.MaxLayerRecords)
        {
            LsmtThrowHelper.ThrowTooManyRecords(name, trailerOffset + 40, LsmtConstants.MaxLayerRecords, trailer.IndexSize);
        }

        // Both operands are small here, so that nothing wraps; the original subtracts first and lets a huge offset pass.
        if (trailer.IndexOffset < LsmtConstants.HeaderSpace ||
            trailer.IndexOffset > (ulong)trailerOffset ||
            trailer.IndexSize * LsmtMapping.Size > (ulong)trailerOffset - trailer.IndexOffset)
        {
            LsmtThrowHelper.ThrowIndexRange(name, trailerOffset, trailer.IndexOffset, trailer.IndexSize);
        }
    }
}
