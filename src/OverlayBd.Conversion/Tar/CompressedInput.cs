// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Conversion.Tar;

/// <summary>The compressed bytes of a layer on their way into a decoder: counted, the first few known in advance, and on
/// request with something appended.</summary>
internal sealed class CompressedInput(Stream compressed) : ForwardReadStream
{
    /// <summary>How many bytes are looked at to recognise a compression.</summary>
    public const int MagicLength = 10;

    private readonly byte[] _magic = new byte[MagicLength];
    private int _magicStart;
    private int _magicEnd;
    private bool _ended;
    private ReadOnlyMemory<byte> _appendix;

    /// <summary>Gets the number of the layer's own bytes that have been handed out.</summary>
    public long Offset { get; private set; }

    /// <summary>Gets whether the appendix has been handed out, in whole or in part.</summary>
    public bool AppendixReached { get; private set; }

    /// <summary>Gets whether the last read of the layer threw, so that what the decoder throws is not the decoder's.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>Reads the first bytes without taking them; called before anything else.</summary>
    /// <returns>The first <see cref="MagicLength"/> bytes, fewer when there are no more.</returns>
    public async ValueTask<ReadOnlyMemory<byte>> PeekMagicAsync(CancellationToken cancellationToken)
    {
        _magicEnd = await compressed.ReadAtLeastAsync(_magic, MagicLength, throwOnEndOfStream: false, cancellationToken)
            .ConfigureAwait(false);
        return _magic.AsMemory(0, _magicEnd);
    }

    /// <summary>Sets what follows the layer's own bytes.</summary>
    public void Append(ReadOnlyMemory<byte> appendix) => _appendix = appendix;

    /// <summary>Reads what the decoder had no use for. A digest taken underneath needs to see it.</summary>
    public async ValueTask DrainAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[16 * 1024];
        _appendix = default;
        while (await ReadAsync(buffer, cancellationToken).ConfigureAwait(false) != 0)
        {
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = 0;
        if (_magicStart < _magicEnd)
        {
            read = Math.Min(buffer.Length, _magicEnd - _magicStart);
            _magic.AsMemory(_magicStart, read).CopyTo(buffer);
            _magicStart += read;
        }
        else if (!_ended)
        {
            HasFailed = true;
            read = await compressed.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            HasFailed = false;
            _ended = read == 0 && !buffer.IsEmpty;
        }

        Offset += read;
        if (_ended && !_appendix.IsEmpty)
        {
            AppendixReached = true;
            read = Math.Min(buffer.Length, _appendix.Length);
            _appendix[..read].CopyTo(buffer);
            _appendix = _appendix[read..];
        }

        return read;
    }

    public override async ValueTask DisposeAsync()
    {
        await compressed.DisposeAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            compressed.Dispose();
        }

        base.Dispose(disposing);
    }
}
