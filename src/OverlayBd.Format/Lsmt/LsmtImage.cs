// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Format.Lsmt;

/// <summary>Layers stacked to one virtual disk: each sector is that of the topmost layer that has it, or zeros.</summary>
/// <remarks>
/// <para>The indexes of the layers are merged once, so a read costs one look-up however many layers there are. A read that spans
/// several layers asks them at the same time. It completes synchronously, and allocates nothing, when the layers do.</para>
/// <para>A layer's read error passes through as it is: it is the layer's source that knows its name.</para>
/// </remarks>
public sealed class LsmtImage : BlockSource, IPrefetchable, ILsmtSegments
{
    private readonly BlockSource[] _sources;
    private readonly LsmtIndex _index;
    private readonly LsmtLayer[] _owned;

    private LsmtImage(LsmtLayer[] layers, LsmtIndex index, long length, LsmtLayer[] owned)
    {
        Layers = layers;
        _index = index;
        Length = length;
        _owned = owned;
        _sources = [.. layers.Reverse().Select(layer => layer.Source)];
    }

    /// <summary>Gets the size of the virtual disk, in bytes: that of the topmost layer which states one.</summary>
    public override long Length { get; }

    /// <summary>Gets the layers, the bottom one first.</summary>
    public IReadOnlyList<LsmtLayer> Layers { get; }

    /// <summary>Gets the number of mappings in the merged index.</summary>
    public int MappingCount => _index.Count;

    internal LsmtIndex Index => _index;

    /// <summary>Stacks layers.</summary>
    /// <param name="layers">The layers, the bottom one first; 1 to 255. Owned by the image unless <paramref name="leaveOpen"/>,
    /// once it has been made.</param>
    /// <param name="leaveOpen">Whether disposing the image leaves the layers open.</param>
    /// <returns>The image; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">There are no layers, or more than 255.</exception>
    /// <exception cref="InvalidDataException">No layer states a virtual size, or the layers have too many mappings.</exception>
    public static LsmtImage Stack(IReadOnlyList<LsmtLayer> layers, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(layers);
        if (layers.Count is 0 or > LsmtConstants.MaxLayers)
        {
            throw new ArgumentException($"A stack has 1 to {LsmtConstants.MaxLayers} layers, not {layers.Count}.", nameof(layers));
        }

        LsmtLayer[] bottomUp = [.. layers];
        long length = bottomUp.LastOrDefault(layer => layer.VirtualSize != 0)?.VirtualSize ?? 0;
        if (length == 0)
        {
            LsmtThrowHelper.ThrowNoVirtualSize(bottomUp.Select(layer => layer.Name));
        }

        LsmtIndex index = LsmtIndexMerger.Merge([.. bottomUp.Reverse().Select(layer => layer.Index)]);
        return new LsmtImage(bottomUp, index, length, leaveOpen ? [] : bottomUp);
    }

    /// <summary>Lists what the layers map, in order, each run with the layer that is seen there.</summary>
    /// <returns>The mapped runs within <see cref="Length"/>;
    /// <see cref="LsmtExtent.Layer"/> is a position in <see cref="Layers"/>.</returns>
    public IEnumerable<LsmtExtent> ReadMappings() => LsmtExtent.Enumerate(_index.Mappings, Layers.Count - 1, Length);

    /// <summary>Brings a range of the virtual disk near, in those layers whose sources can do that.</summary>
    /// <inheritdoc cref="IPrefetchable.PrefetchAsync" path="/param"/>
    /// <returns>A task that completes when a read of the range would need no network, as far as the layers can tell.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within <see cref="Length"/>.</exception>
    /// <exception cref="IOException">The bytes could not be fetched.</exception>
    public ValueTask PrefetchAsync(long offset, long length, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(offset, Length - length);
        return LsmtSegmentReader.PrefetchAsync(this, offset, length, cancellationToken);
    }

    /// <summary>Writes one layer that holds what all layers together show.</summary>
    /// <param name="output">Where the layer goes: written from its current position on, only forward. Neither flushed nor disposed.</param>
    /// <param name="options">Identity and message of the new layer. Without a parent, that of the bottom layer is taken over.</param>
    /// <param name="cancellationToken">Abandons the merge; what has been written is then useless.</param>
    /// <returns>A task that completes when the layer has been written.</returns>
    /// <exception cref="ArgumentException">An option is malformed.</exception>
    /// <exception cref="InvalidOperationException">The layer would have more than 1 000 000 index records; nothing was written.</exception>
    /// <exception cref="InvalidDataException">The stored bytes of a layer are malformed.</exception>
    /// <exception cref="IOException">A layer could not be read, or <paramref name="output"/> not be written.</exception>
    /// <remarks>The records keep the number of their layer as tag, 0 for the top one, as those of the original do.</remarks>
    public Task MergeAsync(Stream output, LsmtCommitOptions options, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(IsDisposed, this);
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(options);
        LsmtHeader header = options.CreateHeader(Length, Layers[0].ParentUuid);
        return LsmtCommitter.WriteAsync(output, _index.Mappings, _sources, header, cancellationToken);
    }

    /// <summary>Puts a layer on top. The new image takes the place of this one, and owns what this one owned, and the layer.</summary>
    internal static LsmtImage Push(LsmtImage? below, LsmtLayer layer)
    {
        if (below is null)
        {
            return new LsmtImage([layer], layer.Index, layer.VirtualSize, [layer]);
        }

        LsmtIndex index = new(LsmtIndexMerger.Overlay(layer.Index.Mappings.Span, below.RaiseTags()));
        return new LsmtImage([.. below.Layers, layer], index, layer.VirtualSize, [.. below._owned, layer]);
    }

    /// <summary>Copies the index, with the tags as they are when one more layer lies on top.</summary>
    internal LsmtMapping[] RaiseTags()
    {
        LsmtMapping[] mappings = _index.Mappings.ToArray();
        for (int i = 0; i < mappings.Length; i++)
        {
            mappings[i] = mappings[i].WithTag((byte)(mappings[i].Tag + 1));
        }

        return mappings;
    }

    /// <summary>Returns whether a layer maps anything in a range.</summary>
    internal bool MapsAny(long sector, long end) => _index.FindRun(sector, end).Length > 0;

    LsmtSegment ILsmtSegments.Find(long offset, long end) => Find(offset, end);

    internal LsmtSegment Find(long offset, long end)
    {
        long endSector = (end + LsmtConstants.SectorSize - 1) / LsmtConstants.SectorSize;
        LsmtRun run = _index.FindRun(offset / LsmtConstants.SectorSize, endSector);
        return LsmtSegment.FromRun(run, _sources[run.Tag], offset, end);
    }

    /// <inheritdoc/>
    protected override ValueTask ReadCoreAsync(long offset, Memory<byte> buffer, CancellationToken cancellationToken) =>
        LsmtSegmentReader.ReadAsync(this, offset, buffer, cancellationToken);

    /// <inheritdoc/>
    protected override async ValueTask ReleaseAsync()
    {
        foreach (LsmtLayer layer in _owned)
        {
            await layer.DisposeAsync().ConfigureAwait(false);
        }
    }
}
