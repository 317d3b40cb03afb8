#include "open_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace dali_voc {
namespace {

[[noreturn]] void FailReading(int error) {
  const std::string reason = strerror(error);
  if (error == ENOMEM) throw ShortageError("a file cannot be read: " + reason);
  throw FileError("cannot be read (" + reason + ")");
}

[[noreturn]] void FailOpening(const std::string& path) {
  const int error = errno;
  struct stat link{};
  if (error == EMFILE || error == ENFILE || error == ENOMEM)
    throw ShortageError("a file cannot be opened: " + std::string(strerror(error)));
  if (error == ENOENT && lstat(path.c_str(), &link) == 0 && S_ISLNK(link.st_mode))
    throw FileError("no such file (a link to nothing)");
  if (error == ENOENT) throw FileError("no such file");
  FailReading(error);
}

}  // namespace

OpenFile::OpenFile(const std::string& path) {
  // a pipe must not make the reader wait for a writer
  do {
    handle_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  } while (handle_ < 0 && errno == EINTR);
  if (handle_ < 0) FailOpening(path);
  if (fstat(handle_, &stat_) != 0) {  // across a network that may fail, too
    const int error = errno;
    close(handle_);
    FailReading(error);
  }
  if (S_ISREG(stat_.st_mode)) return;
  close(handle_);
  if (S_ISDIR(stat_.st_mode)) throw FileError("this is a folder, expected a file");
  throw FileError("this is not a regular file");
}

OpenFile::~OpenFile() { close(handle_); }

bool OpenFile::IsCurrent(const std::string& path) const {
  struct stat now{};
  return stat(path.c_str(), &now) == 0 && now.st_dev == stat_.st_dev &&
         now.st_ino == stat_.st_ino && now.st_size == stat_.st_size && Modified(now) == modified();
}

void OpenFile::Read(int64_t offset, int64_t size, uint8_t* out) const {
  while (size > 0) {
    const ssize_t n = pread(handle_, out, size, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) FailReading(errno);
    if (n == 0) throw FileError("the file became shorter while it was read");
    offset += n;
    size -= n;
    out += n;
  }
}

std::shared_ptr<const OpenFile> OpenFiles::Get(const std::string& path) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
    if (entry->path != path) continue;
    if (entry->round != round_ && !entry->file->IsCurrent(path)) {
      entries_.erase(entry);
      break;
    }
    entry->round = round_;
    entries_.splice(entries_.begin(), entries_, entry);
    return entries_.front().file;
  }
  auto file = std::make_shared<const OpenFile>(path);
  entries_.push_front({path, file, round_});
  if (entries_.size() > capacity_) entries_.pop_back();
  return file;
}

}  // namespace dali_voc
