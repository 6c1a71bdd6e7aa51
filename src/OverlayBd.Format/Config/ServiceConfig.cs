// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Serialization;

namespace OverlayBd.Format.Config;

/// <summary>The global configuration of a backstore, <c>overlaybd.json</c>.</summary>
/// <remarks>
/// <para>Names and defaults are those of overlaybd <c>src/config.h</c>, <c>GlobalConfig</c>; <see cref="Registry"/> and
/// <see cref="Backstore"/> are our own, and the original passes over them. Names are read in any case.</para>
/// <para>A field that nobody knows is a warning. A value that makes no sense is an error, unlike with the original, whose behaviour is then
/// undefined.</para>
/// </remarks>
/// <param name="RegistryCacheSizeInGiB">The older key for the size of the cache, in GiB.</param>
/// <param name="LogLevel">The older key for the level of the log.</param>
/// <param name="EnableAudit">Whether slow operations are written to the audit log.</param>
public sealed record ServiceConfig(
    [property: JsonPropertyName("registryCacheSizeGB")] int RegistryCacheSizeInGiB = 4,
    [property: JsonPropertyName("logLevel")] int LogLevel = 1,
    [property: JsonPropertyName("enableAudit")] bool EnableAudit = true)
{
    /// <summary>Where the file is unless somebody says otherwise.</summary>
    public const string DefaultPath = "/etc/overlaybd/overlaybd.json";

    /// <summary>The longest file that is read, in bytes.</summary>
    public const int MaxLength = 1024 * 1024;

    internal const string DefaultCacheDirectory = "/opt/overlaybd/registry_cache";
    private const string DefaultCredentialFile = "/opt/overlaybd/cred.json";
    private const string DefaultAuditPath = "/var/log/overlaybd-audit.log";
    private const string DefaultLogPath = "/var/log/overlaybd.log";
    private const int LegacyLogSizeInMiB = 10;
    private const int LegacyRotatedFiles = 3;

    /// <summary>Gets which of the original's registry clients is meant. There is one here, whatever it says.</summary>
    [JsonPropertyName("registryFsVersion")]
    [AllowNull]
    public string RegistryFsVersion { get; init => field = value ?? "v2"; } = "v2";

    /// <summary>Gets what registries are told who asks; empty for the program's name and version.</summary>
    [JsonPropertyName("userAgent")]
    [AllowNull]
    public string UserAgent { get; init => field = value ?? ""; } = "";

    /// <summary>Gets how the original reads local files: 0 psync, 1 libaio, 2 posixaio. Checked, and without effect here.</summary>
    [JsonPropertyName("ioEngine")]
    public int IoEngine { get; init; }

    /// <summary>Gets whether the original serves each device on a thread of its own. Without effect here.</summary>
    [JsonPropertyName("enableThread")]
    public bool EnableThread { get; init; }

    /// <summary>Gets the file with credentials when <see cref="CredentialConfig"/> names no mode.</summary>
    [JsonPropertyName("credentialFilePath")]
    [AllowNull]
    public string CredentialFilePath { get; init => field = value ?? DefaultCredentialFile; } = DefaultCredentialFile;

    /// <summary>Gets where credentials come from.</summary>
    [JsonPropertyName("credentialConfig")]
    [AllowNull]
    public CredentialConfig CredentialConfig { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the client certificate.</summary>
    [JsonPropertyName("certConfig")]
    [AllowNull]
    public CertificateConfig Certificate { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the cache; see <see cref="EffectiveCache"/>.</summary>
    [JsonPropertyName("cacheConfig")]
    [AllowNull]
    public CacheConfig Cache { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the older key for the kind of cache.</summary>
    [JsonPropertyName("cacheType")]
    [AllowNull]
    public string CacheType { get; init => field = value ?? "file"; } = "file";

    /// <summary>Gets the older key for the directory of the cache.</summary>
    [JsonPropertyName("registryCacheDir")]
    [AllowNull]
    public string RegistryCacheDirectory { get; init => field = value ?? DefaultCacheDirectory; } = DefaultCacheDirectory;

    /// <summary>Gets the cache of turboOCI layers.</summary>
    [JsonPropertyName("gzipCacheConfig")]
    [AllowNull]
    public GzipCacheConfig GzipCache { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the log; see <see cref="EffectiveLog"/>.</summary>
    [JsonPropertyName("logConfig")]
    [AllowNull]
    public LogConfig Log { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the older key for the path of the log; empty for standard output.</summary>
    [JsonPropertyName("logPath")]
    [AllowNull]
    public string LogPath { get; init => field = value ?? DefaultLogPath; } = DefaultLogPath;

    /// <summary>Gets the path of the audit log.</summary>
    [JsonPropertyName("auditPath")]
    [AllowNull]
    public string AuditPath { get; init => field = value ?? DefaultAuditPath; } = DefaultAuditPath;

    /// <summary>Gets how layers are downloaded in the background when a device config does not say.</summary>
    [JsonPropertyName("download")]
    [AllowNull]
    public DownloadConfig Download { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the peer-to-peer accelerator.</summary>
    [JsonPropertyName("p2pConfig")]
    [AllowNull]
    public P2PConfig P2P { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the Prometheus metrics.</summary>
    [JsonPropertyName("exporterConfig")]
    [AllowNull]
    public ExporterConfig Exporter { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the replay of traces.</summary>
    [JsonPropertyName("prefetchConfig")]
    [AllowNull]
    public PrefetchConfig Prefetch { get; init => field = value ?? new(); } = new();

    /// <summary>Gets the control API over TCP.</summary>
    [JsonPropertyName("serviceConfig")]
    [AllowNull]
    public ControlApiConfig ControlApi { get; init => field = value ?? new(); } = new();

    /// <summary>Gets how registries are reached.</summary>
    [JsonPropertyName("registryConfig")]
    [AllowNull]
    public RegistryConfig Registry { get; init => field = value ?? new(); } = new();

    /// <summary>Gets what else the daemon can be told.</summary>
    [JsonPropertyName("backstoreConfig")]
    [AllowNull]
    public BackstoreConfig Backstore { get; init => field = value ?? new(); } = new();

    /// <summary>Gets a sentence for each field that was read and is not known.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Gets the cache that is meant: <see cref="Cache"/>, or the older keys when that names no kind.</summary>
    [JsonIgnore]
    public CacheConfig EffectiveCache => Cache.Type.Length > 0
        ? Cache
        : Cache with { Type = CacheType, Directory = RegistryCacheDirectory, SizeInGiB = RegistryCacheSizeInGiB };

    /// <summary>Gets the log that is meant: <see cref="Log"/>, or the older keys when that names no path. An empty path is standard
    /// output.</summary>
    [JsonIgnore]
    public LogConfig EffectiveLog => Log.Path.Length > 0
        ? Log
        : new LogConfig { Level = LogLevel, Path = LogPath, SizeInMiB = LegacyLogSizeInMiB, RotatedFiles = LegacyRotatedFiles };

    /// <summary>Reads a configuration and validates it.</summary>
    /// <param name="json">The content of the file.</param>
    /// <param name="name">What messages call it, such as its path.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="InvalidDataException">The content is no configuration, or a value makes no sense; the message names the
    /// field.</exception>
    public static ServiceConfig Parse(ReadOnlySpan<byte> json, string name)
    {
        ServiceConfig config = ServiceConfigJson.Read(json, name);
        config.Validate(name);
        return config;
    }

    /// <summary>Reads a configuration from its file and validates it.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="cancellationToken">Abandons the read.</param>
    /// <returns>The configuration.</returns>
    /// <exception cref="InvalidDataException">The content is no configuration, or a value makes no sense; the message names the
    /// field.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="OperationCanceledException">The read was abandoned.</exception>
    public static async Task<ServiceConfig> LoadAsync(string path, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        await using (file.ConfigureAwait(false))
        {
            long length = file.Length;
            if (length > MaxLength)
            {
                throw new InvalidDataException($"'{path}' is {length} bytes long; a configuration has {MaxLength} at most.");
            }

            byte[] json = new byte[length];
            int read = await file.ReadAtLeastAsync(json, json.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            return Parse(json.AsSpan(0, read), path);
        }
    }

    /// <summary>Checks that every value makes sense. A configuration that was read has been checked.</summary>
    /// <param name="name">What the message calls it.</param>
    /// <exception cref="InvalidDataException">One does not; the message names the field, what was expected and what was found.</exception>
    public void Validate(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ServiceConfigCheck.Check(this, name);
    }

    /// <summary>Writes the configuration with every field, one on each line.</summary>
    /// <returns>The JSON text, in UTF-8.</returns>
    public byte[] ToJson() => ServiceConfigJson.Write(this);
}
