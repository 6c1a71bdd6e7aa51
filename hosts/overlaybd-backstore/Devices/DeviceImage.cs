// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Backstore.Devices;

/// <summary>
/// The image behind a device: open already, or, behind a device that was taken over, being opened until that succeeds. The kernel's disk
/// is there in any case; to give it up because a registry cannot be reached would cost its users their file system. Owns the image.
/// </summary>
internal sealed class DeviceImage : IAsyncDisposable
{
    private static readonly TimeSpan s_firstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _closing = new();
    private readonly long _knownLength;
    private readonly Task<OpenedImage> _opening;
    private OpenedImage? _image;
    private string? _problem;

    public DeviceImage(OpenedImage image)
    {
        _image = image;
        _opening = Task.FromResult(image);
        IsReadOnly = image.Store.IsReadOnly;
    }

    /// <param name="open">Opens the image; called again, after a pause, for as long as it fails.</param>
    /// <param name="length">The length the kernel knows, in bytes.</param>
    /// <param name="isReadOnly">Whether the kernel knows it as read-only.</param>
    /// <param name="clock">The clock of the pauses.</param>
    /// <param name="failed">Is told of every failure, and of the pause after it.</param>
    public DeviceImage(
        Func<CancellationToken, Task<OpenedImage>> open, long length, bool isReadOnly, TimeProvider clock, Action<Exception, TimeSpan> failed)
    {
        _knownLength = length;
        IsReadOnly = isReadOnly;
        _problem = "It was taken over and is being opened.";
        _opening = Task.Run(() => OpenAsync(open, clock, failed));
    }

    /// <summary>The image, once it is open.</summary>
    public OpenedImage? Current => Volatile.Read(ref _image);

    /// <summary>Why it is not open; null when it is.</summary>
    public string? Problem => Current is null ? Volatile.Read(ref _problem) : null;

    public long Length => Current?.Store.Length ?? _knownLength;

    public bool IsReadOnly { get; }

    /// <summary>The image, for who cannot wait until it is open.</summary>
    /// <exception cref="RequestException">It is not open.</exception>
    public OpenedImage Require() => Current ?? throw new RequestException(ErrorCodes.Unavailable, $"The device waits for its image: {Problem}");

    /// <summary>Waits until the image is open.</summary>
    public Task<OpenedImage> WaitAsync(CancellationToken cancellationToken) => _opening.WaitAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _closing.CancelAsync();
        try
        {
            await (await _opening).DisposeAsync();
        }
        catch (OperationCanceledException)
        {
            // It never came to be open.
        }

        _closing.Dispose();
    }

    private async Task<OpenedImage> OpenAsync(
        Func<CancellationToken, Task<OpenedImage>> open, TimeProvider clock, Action<Exception, TimeSpan> failed)
    {
        for (TimeSpan pause = s_firstPause; ; pause = pause * 2 < s_longestPause ? pause * 2 : s_longestPause)
        {
            try
            {
                OpenedImage image = await open(_closing.Token);
                Volatile.Write(ref _image, image);
                return image;
            }
            catch (Exception e) when (!_closing.IsCancellationRequested)
            {
                // Whatever it is may pass: a registry, a disk, a file that somebody puts back.
                Volatile.Write(ref _problem, e.Message);
                failed(e, pause);
                await Task.Delay(pause, clock, _closing.Token);
            }
        }
    }
}
