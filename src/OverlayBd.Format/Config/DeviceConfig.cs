// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>A device config (<c>config.v1.json</c>): which layers make a device, and where they are.</summary>
/// <remarks>
/// <para>It is the contract between a snapshotter and a backstore: overlaybd <c>src/config.h</c> reads it,
/// accelerated-container-image <c>pkg/types/types.go</c> writes it. Names are read in any case and unknown ones are ignored;
/// they are written in the original's order, without what is empty.</para>
/// <para>An empty string in the file is the same as none, and reads as <see langword="null"/>.</para>
/// </remarks>
public sealed record DeviceConfig
{
    /// <summary>The most layers of a device: the limit of the layer format's merged index.</summary>
    public const int MaxLowers = 255;

    /// <summary>The longest config that is read, in bytes.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    /// <summary>Gets where blobs are fetched from, such as <c>https://host/v2/REPOSITORY/blobs</c>; a blob's digest is appended.</summary>
    [JsonPropertyName("repoBlobUrl")]
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    [AllowNull]
    public string RepoBlobUrl { get; init => field = value ?? ""; } = "";

    /// <summary>Gets the read-only layers, the bottom one first; <see cref="MaxLowers"/> at most.</summary>
    [JsonPropertyName("lowers")]
    [AllowNull]
    public IReadOnlyList<LowerConfig> Lowers { get; init => field = value ?? []; } = [];

    /// <summary>Gets the writable layer; empty when the device is read-only.</summary>
    [JsonPropertyName("upper")]
    [AllowNull]
    public UpperConfig Upper { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the path of the file that tells whether the device could be opened; empty for none.</summary>
    [JsonPropertyName("resultFile")]
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    [AllowNull]
    public string ResultFile { get; init => field = value ?? ""; } = "";

    /// <summary>Gets how the layers are downloaded in the background; <see langword="null"/> for what the backstore does by
    /// default.</summary>
    [JsonPropertyName("download")]
    public DownloadConfig? Download { get; init; }

    /// <summary>Gets whether the last lower is no layer but the acceleration layer, which holds a trace.</summary>
    [JsonPropertyName("accelerationLayer")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool AccelerationLayer { get; init; }

    /// <summary>Gets the path of a trace to record or replay, or of a list of files to prefetch.</summary>
    [JsonPropertyName("recordTracePath")]
    public string? RecordTracePath { get; init => field = NullIfEmpty(value); }

    /// <summary>Reads a device config.</summary>
    /// <param name="json">The content of the file.</param>
    /// <param name="name">What messages call it, such as its path.</param>
    /// <returns>The config.</returns>
    /// <exception cref="InvalidDataException">The content is no device config; the message names the field and where it is.</exception>
    public static DeviceConfig Parse(ReadOnlySpan<byte> json, string name) => DeviceConfigJson.Read(json, name);

    /// <summary>Reads a device config from its file.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <returns>The config.</returns>
    /// <exception cref="InvalidDataException">The content is no device config; the message names the field and where it is.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="OperationCanceledException">The read was abandoned.</exception>
    public static async Task<DeviceConfig> LoadAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        await using (file.ConfigureAwait(false))
        {
            long length = file.Length;
            if (length > MaxLength)
            {
                throw new InvalidDataException($"'{path}' is {length} bytes long; a device config has {MaxLength} at most.");
            }

            byte[] json = new byte[length];
            int read = await file.ReadAtLeastAsync(json, json.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Parse(json.AsSpan(0, read), path);
        }
    }

    /// <summary>Writes the config as the original's snapshotter does: compact, in its order of names.</summary>
    /// <returns>The JSON text, in UTF-8.</returns>
    public byte[] ToJson() => DeviceConfigJson.Write(this);

    /// <summary>Writes the config to a file that only its owner may read, replacing it as a whole.</summary>
    /// <param name="path">The file's path; its directory exists.</param>
    /// <param name="cancellationToken">Abandons the write; the file is then as it was.</param>
    /// <returns>A task that completes when the file is written.</returns>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="OperationCanceledException">The write was abandoned.</exception>
    public async Task SaveAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string temporary = Path.Combine(directory, $".tmp-{Path.GetFileName(path)}{Guid.NewGuid():N}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0 };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            var file = new FileStream(temporary, options);
            await using (file.ConfigureAwait(false))
            {
                await file.WriteAsync(ToJson(), cancellationToken).ConfigureAwait(false);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    internal static string? NullIfEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
